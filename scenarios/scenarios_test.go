package scenarios_test

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestEveryScenarioCanBePlanned loads and plans what is built in, and wants
// each to say what it is and what it expects.
func TestEveryScenarioCanBePlanned(t *testing.T) {
	names, err := scenarios.List()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(names, scenarios.Default) {
		t.Errorf("got %v, want the default %s among them", names, scenarios.Default)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
			if err != nil {
				t.Fatal(err)
			}
			if loaded.Name != name {
				t.Errorf("got name %q, want %q", loaded.Name, name)
			}
			if loaded.Scenario.Description == "" || loaded.Scenario.Expect == nil {
				t.Error("want a description and what it expects")
			}
			if _, err := plan.Build(loaded, plan.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}
