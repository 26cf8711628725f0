package runbook

import (
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// Family is what the two files and the plan need to know of a kind of secret.
// How its credentials are made, published and shown is elsewhere.
type Family struct {
	Name string
	// Distributions are the ways in which the secret may reach its consumers, as
	// a page says them.
	Distributions []string
	// ReadBy are the kinds of stand-ins that read what is published. Those among
	// them who check hold the secret too: they learn and forget by their refresh,
	// and emitters present to each of them.
	ReadBy []string
	// Types are the formats of its credentials; none: anything.
	Types []string
	// Identifier is what tells its credentials apart on the wire.
	Identifier string
	// Expires says that what is made with a credential has a life of its own,
	// so that a page must say the longest.
	Expires bool
	// Hop is whose observations decide flatness.
	Hop history.Source
	// EmittedBy, CheckedBy and Between are the kinds of stand-ins that emit a
	// credential, check it, and stand between the two.
	EmittedBy, CheckedBy, Between []string
	// Authority says that what checks is the authority itself, which learns and
	// forgets at once; it is no consumer and need not be on the page.
	Authority bool
	// Several are the types whose emitters present every accepted credential at
	// once, so that a validator may take either.
	Several []string
	// Pools says that a credential is presented with each connection that a pool
	// makes, and not with each request.
	Pools bool
	// Valued says that each of its credentials is one value, which a service can be
	// given by itself.
	Valued bool
	// Life says what the longest life is of, as a hint.
	Life string
}

// Kinds are the stand-ins that have a part in a family, sorted.
func (f Family) Kinds() []string {
	return slices.Sorted(slices.Values(slices.Concat(f.EmittedBy, f.CheckedBy, f.Between)))
}

// Symmetric reports whether those who check hold the secret that emitters have.
func (f Family) Symmetric() bool {
	return slices.ContainsFunc(f.CheckedBy, func(kind string) bool { return slices.Contains(f.ReadBy, kind) })
}

// Families are those that can be rehearsed.
var Families = map[string]Family{
	"jwt-signing-key": {
		Name: "jwt-signing-key", Distributions: []string{JWKS}, ReadBy: []string{"issuer"}, Types: []string{"ES256", "RS256"},
		Identifier: "kid", Expires: true, Life: "of a token: 10m", Hop: history.FromLoad,
		EmittedBy: []string{"issuer"}, CheckedBy: []string{"verifier"}, Between: []string{"cache"},
	},
	"api-key": {
		Name: "api-key", Distributions: []string{Env, File, Poll}, ReadBy: []string{"charger"},
		Identifier: "tag", Hop: history.FromAuthority, Valued: true,
		EmittedBy: []string{"charger"}, CheckedBy: []string{"provider"}, Authority: true,
	},
	"database-password": {
		Name: "database-password", Distributions: []string{Env, File, Poll}, ReadBy: []string{"querier"}, Types: []string{"postgresql", "redis"},
		Identifier: "tag", Expires: true, Life: "for how long a pool keeps a connection: pgxpool's MaxConnLifetime, 1h", Hop: history.FromAuthority,
		EmittedBy: []string{"querier"}, CheckedBy: []string{"postgres", "redis"}, Authority: true, Pools: true,
	},
	"webhook-secret": {
		Name: "webhook-secret", Distributions: []string{Env, File, Poll}, ReadBy: []string{"receiver", "sender"}, Types: webhook.Names(),
		Identifier: "tag", Expires: true, Life: "for how long a delivery that failed is tried again: 30m", Hop: history.FromAuthority, Valued: true,
		EmittedBy: []string{"sender"}, CheckedBy: []string{"receiver"},
		Several: []string{"standard-webhooks", "stripe"},
	},
}

// Readers are the kinds of stand-ins that read what is published in any family, sorted.
func Readers() []string {
	var kinds []string
	for _, f := range Families {
		kinds = append(kinds, f.ReadBy...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// FamilyNames are the names of Families, sorted.
func FamilyNames() []string { return slices.Sorted(maps.Keys(Families)) }
