package rules_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
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

// rehearse runs a built-in scenario to its end and judges what it left.
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
	r := &rehearsal{loaded: loaded, limits: p.Limits}
	ended := simulatedtest.RehearseIn(t, p, o, func(*world.World, context.CancelFunc) {})
	// A scenario may be about a step that cannot be taken.
	if ended.Err != nil && !r.expects("rollback") && !(oneWay[name] && from != "") {
		t.Errorf("run: %v", ended.Err)
	}
	r.history = ended.History
	r.view = history.ViewOf(r.history)
	r.verdict = rules.Judge(r.history, r.limits)
	return r
}
