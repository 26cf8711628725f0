package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// secondRotation makes two rotations of one secret overlap, as started by two people, or by a job that
// runs twice.
var secondRotation = Kind{
	Name: "second-rotation",
	Does: "begins another rotation of the same secret, that knows nothing of this one: a third credential, " + another +
		", is accepted and published, and the oldest of two goes at once to make room",
	Where:    "on: store, where the secret is published, and a consumer that rehearse serves reads it",
	Evidence: "such a consumer says that it has the third credential",
	prepare: func(f scenario.Fault, g *Graph) error {
		if f.On != storeName {
			return fmt.Errorf("%s is not the store: on: %s", f.On, storeName)
		}
		if f.For > 0 {
			return fmt.Errorf("what it changes cannot be taken back: leave out for")
		}
		readers := g.readers()
		if len(readers) == 0 {
			return fmt.Errorf("there is no consumer in the plan that would say what it reads: %w", ErrCannot)
		}
		for _, name := range readers {
			g.open[name] = true
		}
		return nil
	},
	bind: func(_ scenario.Fault, s *site) (Fault, error) {
		if s.Another == nil {
			return nil, fmt.Errorf("the secret is not the run's own: %w", ErrCannot)
		}
		f := &second{site: s}
		f.showing = showing{once: f.once, differs: func(r Reading) bool { return r[heldBy] > 0 }}
		return f, nil
	},
}

// another is the name of the credential that the other rotation makes.
const another = "k3"

// readers are the plan's stand-ins that read what is published and report what they hold.
func (g *Graph) readers() []string {
	var names []string
	if g.plan.Rehearsal.Attach != nil {
		return nil
	}
	for _, s := range g.plan.Services {
		if slices.Contains(holders, s.Serve) && g.rereads(s.Name) == nil {
			names = append(names, s.Name)
		}
	}
	return names
}

// second begins another rotation.
type second struct {
	showing
	site       *site
	identifier string // of its credential; "": it was not begun
}

// Inject begins it, and records the identifier of its credential.
func (s *second) Inject(ctx context.Context) (err error) {
	if s.identifier, err = s.site.Another(ctx, another); err != nil {
		return err
	}
	s.site.History.Record(history.Event{
		At: s.site.History.Offset(), Kind: history.KindCredential, Credential: another, Identifier: s.identifier,
		Detail: "made by another rotation",
	})
	return nil
}

// Undo does nothing: what was removed is gone.
func (*second) Undo(context.Context) error { return nil }

// Ends is Never.
func (*second) Ends(time.Duration) Ending { return Never }

// heldBy is how many consumers hold the other credential.
const heldBy = "holders"

// Measure asks until a consumer holds it, or all have had time to read it.
func (s *second) Measure(ctx context.Context, span time.Duration) Reading {
	if span == 0 {
		span = s.patience()
	}
	return s.showing.Measure(ctx, span)
}

// patience is how long consumers may take to read it.
func (s *second) patience() time.Duration {
	longest := time.Duration(0)
	for _, name := range s.site.readers() {
		longest = max(longest, newHoldingGauge(s.site, name).patience())
	}
	return longest
}

func (s *second) once(ctx context.Context) Reading {
	r := Reading{}
	for _, name := range s.site.readers() {
		code, _, body, err := s.site.fetch(ctx, name, contract.DisturbPath)
		var held contract.Held
		if err != nil || code != http.StatusOK || json.Unmarshal(body, &held) != nil {
			continue
		}
		r[heldBy] += 0
		if _, ok := held.Keys[s.identifier]; ok && s.identifier != "" {
			r[heldBy]++
		}
	}
	return r
}
