package fault

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// byOperator is who ordered a fault that is not of the scenario.
const byOperator = "operator"

// Injectable are the faults that an operator may inject at any moment: every kind without preparation,
// at every service of the plan and at the store, and those on edges at every prepared edge, as far as
// this runtime can inject and undo them. The load is left out: without it there is nothing to see.
func (s *Schedule) Injectable() []world.Injectable {
	var all []world.Injectable
	for _, k := range kinds {
		for _, target := range s.targets(k) {
			if _, err := s.byHand(k.Name, target); err == nil {
				all = append(all, world.Injectable{Kind: k.Name, Target: target, Does: k.Does})
			}
		}
	}
	return all
}

// targets are the targets of a kind when injected by hand.
func (s *Schedule) targets(k Kind) []string {
	var targets []string
	switch {
	case k.Edge:
		for _, e := range s.edges {
			targets = append(targets, e.String())
		}
	case k.Unprepared:
		for _, service := range s.plan.Services {
			targets = append(targets, service.Name)
		}
		targets = append(targets, "store")
	}
	return targets
}

// byHand binds a fault that an operator orders, as one that ends: the runtime must be able to end it.
func (s *Schedule) byHand(kind, target string) (*planned, error) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		return nil, fmt.Errorf("there is no such kind: %s", source.DidYouMean(kind, Names()))
	}
	k, targets := kinds[i], s.targets(kinds[i])
	if len(targets) == 0 {
		return nil, fmt.Errorf("%s must be prepared before the start: %w", kind, ErrCannot)
	}
	if !slices.Contains(targets, target) {
		return nil, fmt.Errorf("there is no %q to aim at: %s", target, source.DidYouMean(target, targets))
	}
	ordered := scenario.Fault{Kind: kind, On: target, For: 1}
	for _, e := range s.edges {
		if k.Edge && e.String() == target {
			ordered = scenario.Fault{Kind: kind, From: e.From, To: e.To, For: 1}
		}
	}
	f, err := s.bind(order{k, ordered})
	if err != nil {
		return nil, err
	}
	f.lasts, f.by = 0, byOperator
	return f, nil
}

// Inject begins to inject one of Injectable, and returns. It lasts until CallOff, Undo or the end of
// ctx, unless the kind undoes itself. The error has world.ErrNotNow in its chain where the target is
// under a fault, does not answer already, or all faults were undone.
func (s *Schedule) Inject(ctx context.Context, kind, target string) error {
	f, err := s.byHand(kind, target)
	if err != nil {
		return fmt.Errorf("inject %s on %s: %w", kind, target, err)
	}
	if !f.Back(nil, f.Measure(ctx, askWithin)) {
		return fmt.Errorf("inject %s on %s: it gives no answer as it is: %w", kind, target, world.ErrNotNow)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return fmt.Errorf("inject %s on %s: the rotation is over: %w", kind, target, world.ErrNotNow)
	}
	for _, other := range s.alive {
		if other.target == target {
			return fmt.Errorf("inject %s on %s: %s is under way there: %w", kind, target, other.kind, world.ErrNotNow)
		}
	}
	s.start(ctx, f)
	return nil
}

// CallOff begins to undo a fault, whoever ordered it, and returns. The error has world.ErrNotNow in its
// chain where there is none.
func (s *Schedule) CallOff(kind, target string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.alive {
		if f.kind == kind && f.target == target {
			f.callOff()
			return nil
		}
	}
	return fmt.Errorf("undo %s on %s: it is not under way: %w", kind, target, world.ErrNotNow)
}
