package rules_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// What a fix says in figures: a lead, and a window.
var (
	leadFigure   = regexp.MustCompile(`(?:publish at least|emit at least) ([0-9hms.]+)`)
	windowFigure = regexp.MustCompile(`revoke at least ([0-9hms.]+) after`)
)

// TestCures applies what is advised of each scenario's refusals to its page and
// rehearses again, over other ages of its caches: what was found is not found again.
func TestCures(t *testing.T) {
	t.Parallel()
	applied := 0
	for _, name := range []string{
		"jwt-signing-key/stale-cache", "jwt-signing-key/shared-cache", "jwt-signing-key/short-overlap", "jwt-signing-key/exception-cut-short",
		"webhook-secret/flag-day", "jwt-signing-key/flag-day",
	} {
		loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
		if err != nil {
			t.Fatalf("load %s: %v", name, err)
		}
		var lead, window time.Duration
		r := rehearse(t, name, simulated.Options{Seed: 1})
		for _, f := range failing(r.verdict) {
			lead, window = max(lead, figure(t, leadFigure, f.Fix)), max(window, figure(t, windowFigure, f.Fix))
		}
		if lead == 0 && window == 0 {
			continue
		}
		applied++
		t.Run(name, func(t *testing.T) {
			for seed := range int64(4) {
				v := again(t, loaded, lead, window, seed+1)
				for _, f := range failing(v) {
					if f.RuleID == "auth-failures-flat" || f.RuleID == "distribution" {
						t.Errorf("seed %d, lead %s, window %s: found again: %s", seed+1, lead, window, text(f))
					}
				}
			}
		})
	}
	if applied < 3 {
		t.Errorf("of the catalogue %d give an advice in figures, want at least 3", applied)
	}
}

// figure is the figure of a fix; 0: it has none.
func figure(t *testing.T, of *regexp.Regexp, fix string) time.Duration {
	t.Helper()
	m := of.FindStringSubmatch(fix)
	if m == nil {
		return 0
	}
	d, err := time.ParseDuration(m[1])
	if err != nil {
		t.Fatalf("figure of %q: %v", fix, err)
	}
	return d
}

// again rehearses a scenario with another lead and window, where they are longer.
func again(t *testing.T, loaded *scenario.Loaded, lead, window time.Duration, seed int64) (v judge.Verdict) {
	t.Helper()
	changed := *loaded
	page := &changed.Runbook
	page.Rollout.Lead = runbook.Duration(max(page.Rollout.Lead.Duration(), lead))
	page.Overlap.Window = runbook.Duration(max(page.Overlap.Window.Duration(), window))
	p, err := plan.Build(&changed, plan.Options{})
	if err != nil {
		t.Fatalf("build plan: %v", err)
	}
	return rules.Judge(simulatedtest.Rehearse(t, p, simulated.Options{Seed: seed}).History, p.Limits)
}
