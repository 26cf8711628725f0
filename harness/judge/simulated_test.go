package judge_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// rehearsal is a built-in scenario that was rehearsed in a simulated world.
type rehearsal struct {
	loaded  *scenario.Loaded
	limits  plan.Limits
	history *history.History
	view    *history.View
	verdict judge.Verdict
}

// expects reports whether the scenario expects a rule to be broken.
func (r *rehearsal) expects(rule string) bool {
	return slices.ContainsFunc(r.loaded.Scenario.Expect.Findings, func(f scenario.ExpectedFinding) bool { return f.RuleID == rule })
}

// rehearse runs a built-in scenario to its end in a bubble of its own and
// judges what it left. A fault of the scenario takes its service down.
func rehearse(t *testing.T, name string, o simulated.Options) *rehearsal {
	t.Helper()
	return rehearseBack(t, name, "", o)
}

// planOf is the plan of a built-in scenario, with the way back from a phase.
func planOf(t *testing.T, name string, from history.Phase) (*scenario.Loaded, *plan.Plan) {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
	if err != nil {
		t.Fatalf("load scenario: %v", err)
	}
	p, err := plan.Build(loaded, plan.Options{RollbackFrom: string(from)})
	if err != nil {
		t.Fatalf("build plan: %v", err)
	}
	return loaded, p
}

// rehearseBack is rehearse, and takes the rotation back from a phase.
func rehearseBack(t *testing.T, name string, from history.Phase, o simulated.Options) *rehearsal {
	t.Helper()
	loaded, p := planOf(t, name, from)
	var err error
	r := &rehearsal{loaded: loaded, limits: p.Limits}
	for _, f := range p.Rehearsal.Faults {
		if o.Down == nil {
			o.Down = map[string]simulated.Span{}
		}
		at := simulated.Moment{Phase: history.Phase(f.At.Phase), After: p.Wall(f.At.After.Duration())}
		o.Down[f.On] = simulated.Span{From: at, For: p.Wall(f.For.Duration())}
	}
	synctest.Test(t, func(t *testing.T) {
		w := simulated.New(p, o)
		running, stop := context.WithCancel(t.Context())
		var model sync.WaitGroup
		model.Go(func() { w.Run(running) })
		seen := w.World()
		if err := rotation.Provision(t.Context(), seen.Steps, seen.Evidence); err != nil {
			t.Errorf("provision: %v", err)
		}
		// A scenario may be about a step that cannot be taken.
		if _, err := rotation.Run(t.Context(), p, seen); err != nil && !r.expects("rollback") && !(oneWay[name] && from != "") {
			t.Errorf("run: %v", err)
		}
		stop()
		model.Wait()
		if r.history, err = w.Finish(); err != nil {
			t.Fatalf("finish: %v", err)
		}
	})
	r.view = history.ViewOf(r.history)
	r.verdict = judge.Judge(r.history, r.limits)
	return r
}
