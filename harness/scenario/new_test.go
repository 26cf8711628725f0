package scenario_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestNew has a scenario for the page to be filled in of every family: it loads, can
// be planned, and leaves nobody unserved or without load.
func TestNew(t *testing.T) {
	for _, family := range runbook.FamilyNames() {
		t.Run(family, func(t *testing.T) {
			page, _ := runbook.New(family)
			checkNew(t, string(page), map[string][]string{"jwt-signing-key": {"checkout: {serve: verifier}", "search:   {serve: verifier, library: jwx}"}}[family]...)
		})
	}
	t.Run("redis", func(t *testing.T) {
		page, _ := runbook.New("database-password")
		checkNew(t, strings.Replace(string(page), "type: postgresql", "type: redis", 1), "{serve: redis}")
	})
	t.Run("a consumer that is called as the authority would be", func(t *testing.T) {
		page, _ := runbook.New("api-key")
		checkNew(t, strings.Replace(string(page), "name: billing", "name: provider", 1), "provider-2:", "of: provider-2}")
	})
}

// checkNew makes a scenario for a page, holds it, and wants it to have some texts.
func checkNew(t *testing.T, page string, want ...string) {
	t.Helper()
	files := fstest.MapFS{"runbook.yaml": {Data: []byte(page)}}
	loaded, err := runbook.Load(files, "runbook.yaml")
	if err != nil {
		t.Fatalf("load the page: %v", err)
	}
	text, err := scenario.New(loaded.Runbook, "runbook.yaml", 1)
	if err != nil {
		t.Fatalf("make a scenario: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("the scenario: got\n%s\nwant it to have %q", text, w)
		}
	}
	files["page.yaml"] = &fstest.MapFile{Data: text}
	made, err := scenario.Load(files, "page.yaml")
	if err != nil {
		t.Fatalf("load the scenario: %v\n%s", err, text)
	}
	p, err := plan.Build(made, plan.Options{})
	if err != nil {
		t.Fatalf("plan the scenario: %v\n%s", err, text)
	}
	for _, c := range p.Runbook.Consumers {
		calledOrServes := false
		for _, l := range made.Scenario.Load {
			calledOrServes = calledOrServes || l.To == c.Name || l.Endpoint == c.Name
		}
		if emits := c.Has(runbook.Emits); !calledOrServes && !(emits && family(p).JudgedAt == history.FromLoad) {
			t.Errorf("nobody calls %s:\n%s", c.Name, text)
		}
	}
}

func family(p *plan.Plan) runbook.FamilyTraits { return runbook.Traits[p.Runbook.Scope.Family] }

func TestNewOfNoFamily(t *testing.T) {
	if _, err := scenario.New(runbook.Runbook{}, "runbook.yaml", 1); err == nil {
		t.Error("got no error for a page without a family")
	}
}
