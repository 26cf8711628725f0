// Package fault knows the disturbances that a scenario can ask for. One file is
// one kind: what it does, what it needs, how it is injected and taken back.
// Schedule injects them at their time, has their effect measured by somebody
// else than who injects them, which is the evidence, and undoes them.
package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Kind describes one kind of fault.
type Kind struct {
	// Name is what a scenario says.
	Name string
	// Does, Where and Evidence say in one line each what it does, at what it
	// can be aimed, and what shows that it took effect.
	Does, Where, Evidence string
	// Unprepared says that it needs no preparation before the start, and can be injected at any moment.
	Unprepared bool
	// Edge says that it is aimed at an edge, from one service to another, and
	// not at a service. One that was prepared can be disturbed at any moment.
	Edge bool
	// at checks when a scenario lets it begin; nil: any time.
	at func(f scenario.Fault) error
	// prepare puts in place what must be there before the start; nil: nothing.
	prepare func(f scenario.Fault, g *Graph) error
	// bind makes the fault on what was started, after checking that it can be done.
	bind func(f scenario.Fault, s *site) (Fault, error)
}

// Fault is one disturbance that can be injected.
type Fault interface {
	// Inject disturbs the target.
	Inject(ctx context.Context) error
	// Undo takes it back, also after a failed Inject.
	Undo(ctx context.Context) error
	// Ends says when it is undone; lasts is the scenario's time for it in wall time, 0 where it gives
	// none.
	Ends(lasts time.Duration) Ending
	// Gauge shows whether it took effect, and whether that is over.
	Gauge
}

// Place is the running graph.
type Place struct {
	Runtime world.Runtime
	History world.History
	// Sealer seals the store; nil: it is not the run's own.
	Sealer Sealer
	// Published reads what consumers are to have, at the store; nil: it is not the
	// run's own.
	Published func(context.Context) (map[string]any, error)
	// Another begins another rotation of the same secret with a credential of that name, and returns
	// its identifier; nil: the secret is not the run's own.
	Another func(ctx context.Context, credential string) (identifier string, err error)
	// UnknownKey shows a validator a credential that nobody has made, under a new name every time; nil:
	// the family's credentials have no names.
	UnknownKey func(ctx context.Context, validator string) (history.Probe, error)
	// Logins are those at the databases of the run; nil: it has none of its own.
	Logins Logins
	// WriteBack plays a controller that writes a consumer's files back to their first contents until
	// told not to; nil: they are not the run's own.
	WriteBack func(ctx context.Context, service string, back bool) error
	// Rollouts makes a consumer's rollouts go wrong or, with "", right again with what is published;
	// nil: they are not the run's own.
	Rollouts func(ctx context.Context, service string, how world.RolloutTrouble) error
	// Rotator is who takes the steps; nil: they are a team's own.
	Rotator Rotator
}

// Rotator takes the steps of a rotation.
type Rotator interface {
	// Die makes it die in its next step, between authority and store; nobody takes a step until Revive
	// starts another.
	Die()
	Revive()
	// Keyring is its keyring in the store.
	Keyring(ctx context.Context) (*keyring.Keyring, error)
}

// Sealer makes the store answer everything with 503, and takes that back.
type Sealer interface {
	Seal(context.Context) error
	Unseal(context.Context) error
}

// site is where faults are injected: a graph that was started.
type site struct {
	*Graph
	Place
	ask ask
}

// Ending says when a fault is undone.
type Ending int

// The endings.
const (
	InTime Ending = iota // when its time is over
	AtEnd                // with the rotation
	Never                // it cannot be, or is not to be
)

// untilEnd ends a fault after its time or, where the scenario gives none, with the rotation.
type untilEnd struct{}

// Ends is InTime where it has a time.
func (untilEnd) Ends(lasts time.Duration) Ending {
	if lasts > 0 {
		return InTime
	}
	return AtEnd
}

// kinds are all kinds, sorted by name: a new one is a new file and its name here.
var kinds = []Kind{
	cache, clock, cut, doubleBase64, earlyRollout, foreignSecret, garbageKids, holdBack, jwks, kill, killRotator, latency, missingKid, newline, oldKid, partition,
	pause, putBack, quoting, restart, revocationLag, sameKid, seal, secondRotation, slow, stuckRollout, truncated, writeBack, wrongAlgorithm,
}

// Kinds are all kinds of faults, sorted by name.
func Kinds() []Kind { return slices.Clone(kinds) }

// Names are the names of Kinds: what scenario.WithFaults takes.
func Names() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

// ErrCannot is in the chain of an error where this runtime cannot do what a fault asks for.
var ErrCannot = errors.New("not possible here")

// able finds an optional ability of a runtime.
func able[Ability any](r world.Runtime, ability string) (Ability, error) {
	a, ok := r.(Ability)
	if !ok {
		return a, fmt.Errorf("the runtime %s cannot %s a service: %w", r.Name(), ability, ErrCannot)
	}
	return a, nil
}
