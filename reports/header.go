package reports

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// header names what was run.
func header(m *Model) []Fact {
	facts := []Fact{{"Scenario", m.Scenario}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{name, value})
		}
	}
	if m.Runbook != nil {
		add("Secret", m.Runbook.Scope.Name)
		add("Purpose", m.Runbook.Scope.Purpose)
		add("Owner", m.Runbook.Schedule.Owner)
	}
	add("Started", m.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	add("Ran for", m.clock().Moment(m.ended()))
	add("Speed", fmt.Sprintf("%g", m.Speed))
	add("Gates", m.Limits.Gates)
	if m.Limits.Objective > 0 {
		add("Objective", fmt.Sprintf("%.6g %% of first attempts", 100*m.Limits.Objective))
	}
	add("Runtime", m.Runtime)
	add("Store", m.Store)
	add("Seed", fmt.Sprint(m.Seed))
	add("Version", m.ToolVersion)
	add("Scenario digest", m.ScenarioDigest)
	add("Runbook digest", m.RunbookDigest)
	return facts
}

// summary is the run in a few figures, for those who read nothing else.
func summary(m *Model) []Fact {
	var whole judge.Cell
	for _, c := range m.Cells {
		if m.judged(c) {
			tallyUp(&whole, c)
		}
	}
	facts := []Fact{{"first attempts judged", Count(whole.Attempts)}, {"auth failures", Count(whole.AuthFailures)}}
	if whole.AuthFailures > 0 {
		facts[1].Value += " (" + Share(whole.AuthFailures, whole.Attempts) + ")"
	}
	if lost := unavailable(m); lost.Unavailable > 0 {
		facts = append(facts, Fact{"unavailable", Count(lost.Unavailable) + " (" + Share(lost.Unavailable, lost.Attempts) + ")"})
	}
	if m.Limits.Objective > 0 && whole.Attempts > 0 {
		facts = append(facts, Fact{"of all clients' error budget spent", spent(whole.AuthFailures, plan.Allowed(m.Limits.Objective, whole.Attempts))})
	}
	if held := countGates(m, true); len(m.Gates) > 0 {
		facts = append(facts, Fact{"gates held", fmt.Sprintf("%d of %d", held, held+countGates(m, false))})
	}
	took := Fact{"from the start to the end", m.clock().Page(m.ended())}
	if m.Speed > 0 && m.Speed != 1 {
		took.Name = "of page time, in " + plan.Text(m.ended().Duration())
	}
	return append(facts, took)
}

// unavailable sums up what users felt, wherever they call.
func unavailable(m *Model) judge.Cell {
	var felt judge.Cell
	for _, c := range m.Cells {
		if c.Source == history.FromLoad {
			tallyUp(&felt, c)
		}
	}
	return felt
}

// countGates counts the gates that held, or those that did not. One that did not may appear several
// times, once for each party to look at.
func countGates(m *Model, held bool) int {
	seen := map[history.Phase]bool{}
	for _, g := range m.Gates {
		if g.Held == held {
			seen[g.Phase] = true
		}
	}
	return len(seen)
}

// Remedy is something to change before the secret is rotated.
type Remedy struct{ Who, What string }

// maxRemedies bounds the list of remedies; the findings have them all.
const maxRemedies = 8

// remedies are the cures of the errors among the findings or, without errors, of the warnings: each
// once, at most maxRemedies, and how many more there are.
func remedies(m *Model) (all []Remedy, more int) {
	for _, level := range []judge.Level{judge.Error, judge.Warning} {
		for _, f := range m.Findings {
			r := Remedy{f.Consumer, f.Fix}
			if f.Level == level && f.Fix != "" && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
		if len(all) > 0 {
			break
		}
	}
	more = max(0, len(all)-maxRemedies)
	return all[:len(all)-more], more
}

// untold are the inconclusive rules, with what was missing.
func untold(m *Model) []Fact {
	var facts []Fact
	for _, r := range m.Rules {
		if r.Outcome == judge.Inconclusive {
			facts = append(facts, Fact{r.ID, dash(r.Detail)})
		}
	}
	return facts
}
