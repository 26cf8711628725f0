// Package family knows how the credentials of each kind of secret are made,
// published, accepted, shown and revoked. One file is one family; rotation,
// judge and runtimes know nothing of any of them.
//
//	rotation ──► steps ──► keystore   the run's keyring and the values, in the store
//	               │  └──► authority  where acceptance is decided, if not by what is published
//	               └─────► published  what consumers read, in their own format
//
// The order in which a run is brought up follows from who needs whom: the
// store; then Authorities, which Provision acts on; then, with something
// published, all others.
package family

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Family is one kind of secret.
type Family interface {
	// Configure fills in the configuration of a plan's stand-ins, once for every run. It also makes the
	// admin tokens of authorities. Whoever starts a service that Reads adds how to reach the store
	// (contract.PublishedTo).
	Configure(p *plan.Plan) error
	// Bind makes the family's own calls on the store and the authority. The
	// plan of the backend is the one that was configured.
	Bind(b Backend) Binding
}

// Binding is a family with a world behind it. It is safe for concurrent use.
type Binding interface {
	world.Steps
	world.Comparer
	world.Contacter
	world.Probes
	// Keyring is the keyring as it stands in the store.
	Keyring(ctx context.Context) (*keyring.Keyring, error)
	// Another begins another rotation of the same secret, which knows of this one only what is
	// published. The name of its credential is new to the run; it returns the identifier.
	Another(ctx context.Context, name string) (identifier string, err error)
	// Die makes the rotator die in the next step, between its act at the authority and its publication.
	// Revive starts another in its place, which goes on from what the store has. In between, steps
	// wait.
	Die()
	Revive()
	// Secrets are all values that this run made, in memory, for the scan for
	// leaks; they go nowhere else.
	Secrets() []string
}

// UnknownKeyShower is a Binding of a family whose validators look credentials up by name: it can show
// one that nobody has made.
type UnknownKeyShower interface {
	// UnknownKey shows a validator such a credential, under a name that is new every
	// time, as clients of it show theirs. The error is the harness's own.
	UnknownKey(ctx context.Context, validator string) (history.Probe, error)
}

// Named is a Binding whose credentials have another name where they are presented, as a login has its
// user.
type Named interface {
	// Also is that name of a credential, by its identifier; "" where it has none of
	// its own.
	Also(identifier string) string
}

// Closer is a Binding that holds something open at an authority, such as a session.
type Closer interface {
	// Close closes it. Calling it again does no harm.
	Close(ctx context.Context)
}

// Backend is the world of a Binding.
type Backend struct {
	Plan  *plan.Plan
	Store world.Store
	// Published is the page's publish path, below the run's mount.
	Published string
	// URL is the address of a started service, as other services see it or as
	// the harness does.
	URL func(service string, inside bool) string
	// Control is the token with which the run's stand-ins let themselves be controlled.
	Control string
	// See calls f with the live view: a probe compares it before and after, to see whether it caused a
	// fetch.
	See func(f func(*history.View))
	// Token asks an external issuer for a token as a client does; nil where nobody can.
	Token func(ctx context.Context, client string) (string, error)
	// Type is the type of the next credential, which a fault may change from the page's; nil: it is the
	// page's.
	Type func(page string) string
}

// Families are those that can be rehearsed, by the name that a page says.
var Families = map[string]Family{
	"api-key":           apiKey{},
	"database-password": databasePassword{},
	"jwt-shared-secret": jwtSharedSecret{},
	"jwt-signing-key":   jwtSigningKey{},
	"webhook-secret":    webhookSecret{},
}

// Of is the family of a plan.
func Of(p *plan.Plan) (Family, error) {
	f, ok := Families[p.Runbook.Scope.Family]
	if !ok {
		return nil, fmt.Errorf("rehearse family %q: it is not built in, only %q are",
			p.Runbook.Scope.Family, slices.Sorted(maps.Keys(Families)))
	}
	return f, nil
}

// Authorities are the services of a plan that decide on acceptance, and so must be ready before the
// first credential is made.
func Authorities(p *plan.Plan) []string {
	known := runbook.Traits[p.Runbook.Scope.Family]
	var names []string
	for _, s := range p.Services {
		if known.Authority && slices.Contains(known.CheckedBy, s.Serve) {
			names = append(names, s.Name)
		}
	}
	return names
}
