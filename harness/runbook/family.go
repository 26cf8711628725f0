package runbook

import (
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// FamilyTraits is what the two files and the plan need to know of a kind of secret.
// How its credentials are made, published and shown is elsewhere.
type FamilyTraits struct {
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
	// JudgedAt is whose observations decide flatness.
	JudgedAt history.Source
	// EmittedBy, CheckedBy and Between are the kinds of stand-ins that emit a
	// credential, check it, and stand between the two.
	EmittedBy, CheckedBy, Between []string
	// Poolers are the kinds of stand-ins between consumers and an authority that
	// check what is presented to them, and log in there as those who presented it:
	// parties of their own, which may have a password for longer than the authority.
	Poolers []string
	// Authority says that what checks is the authority itself, which learns and
	// forgets at once; it is no consumer and need not be on the page.
	Authority bool
	// Several are the types whose emitters present every accepted credential at
	// once, so that a validator may take either.
	Several []string
	// Pools says that a credential is presented with each connection that a pool
	// makes, and not with each request.
	Pools bool
	// Parts are what a credential has that a service can be given by itself, as a
	// word of its settings.
	Parts []string
	// Textual says that a value is a text that may have any characters, but for
	// those of the types Encoded.
	Textual bool
	Encoded []string
	// Life says what the longest life is of, as a hint.
	Life string
}

// Kinds are the stand-ins that have a part in a family, sorted.
func (f FamilyTraits) Kinds() []string {
	return slices.Sorted(slices.Values(slices.Concat(f.EmittedBy, f.CheckedBy, f.Between, f.Poolers)))
}

// Symmetric reports whether those who check hold the secret that emitters have.
func (f FamilyTraits) Symmetric() bool {
	return slices.ContainsFunc(f.CheckedBy, func(kind string) bool { return slices.Contains(f.ReadBy, kind) })
}

// Traits are those that can be rehearsed.
var Traits = map[string]FamilyTraits{
	"jwt-signing-key": {
		Name: "jwt-signing-key", Distributions: []string{JWKS}, ReadBy: []string{"issuer"}, Types: contract.SignatureAlgorithms(),
		Identifier: "kid", Expires: true, Life: "of a token: 10m", JudgedAt: history.FromLoad, Parts: []string{"identifier", "jwk", "public", "public_jwk", "value"},
		EmittedBy: []string{"issuer"}, CheckedBy: []string{"verifier"}, Between: []string{"cache", "relay"},
	},
	"jwt-shared-secret": {
		Name: "jwt-shared-secret", Distributions: Reading, ReadBy: []string{"checker", "issuer"}, Types: contract.SharedAlgorithms(),
		Identifier: "kid", Expires: true, Life: "of a token: 10m", JudgedAt: history.FromLoad, Parts: []string{"identifier", "value"}, Textual: true,
		EmittedBy: []string{"issuer"}, CheckedBy: []string{"checker"},
	},
	"api-key": {
		Name: "api-key", Distributions: Reading, ReadBy: []string{"charger"},
		Identifier: "tag", JudgedAt: history.FromAuthority, Parts: []string{"identifier", "value"}, Textual: true,
		EmittedBy: []string{"charger"}, CheckedBy: []string{"provider"}, Authority: true,
	},
	"database-password": {
		Name: "database-password", Distributions: Reading, ReadBy: []string{"pgbouncer", "querier"}, Types: databaseTypes(),
		Identifier: "tag", Expires: true, Life: "for how long a pool keeps a connection: pgxpool's MaxConnLifetime, 1h", JudgedAt: history.FromAuthority, Parts: []string{"identifier", "user", "value"}, Textual: true,
		EmittedBy: []string{"querier"}, CheckedBy: databaseKinds(), Poolers: []string{"pgbouncer"}, Authority: true, Pools: true,
	},
	"webhook-secret": {
		Name: "webhook-secret", Distributions: Reading, ReadBy: []string{"receiver", "sender"}, Types: webhook.Names(),
		Identifier: "tag", Expires: true, Life: "for how long a delivery that failed is tried again: 30m", JudgedAt: history.FromAuthority, Parts: []string{"identifier", "value"}, Textual: true,
		EmittedBy: []string{"sender"}, CheckedBy: []string{"receiver"},
		Several: []string{"standard-webhooks", "stripe"}, Encoded: []string{"standard-webhooks"},
	},
}

// Words are the parts of {{ .secret.PART }} that settings of a service can have,
// sorted: those of the credential to emit, of the other one that is accepted, and of
// all, the whole document as text and as a file, and of public keys the set.
func (f FamilyTraits) Words() []string {
	words := []string{"file", "json", "values", "identifiers"}
	if slices.Contains(f.Parts, "public_jwk") {
		words = append(words, "jwks")
	}
	for _, part := range f.Parts {
		words = append(words, part, "other."+part)
	}
	slices.Sort(words)
	return words
}

// Readers are the kinds of stand-ins that read what is published in any family, sorted.
func Readers() []string {
	var kinds []string
	for _, f := range Traits {
		kinds = append(kinds, f.ReadBy...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Kinds are the stand-ins that have a part in any family, sorted.
func Kinds() []string {
	var kinds []string
	for _, f := range Traits {
		kinds = append(kinds, f.Kinds()...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// FamilyNames are the names of Families, sorted.
func FamilyNames() []string { return slices.Sorted(maps.Keys(Traits)) }
