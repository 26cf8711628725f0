package accuracy

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
)

// Flags of `make accuracy`; without them the tests draw each situation twice.
var (
	simulatedCases = flag.Int("simulated", 2*len(simulatedSituations()), "how many simulated rehearsals to draw")
	firstSeed      = flag.Int64("first-seed", 1, "the seed of the first; one with -simulated 1 replays a row")
)

// TestSimulated draws rehearsals, has them rehearsed in simulated worlds and
// judged, and accepts no wrong row.
func TestSimulated(t *testing.T) {
	cases := make([]Case, *simulatedCases)
	said := make([]Said, len(cases))
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			cases[i] = Simulated(*firstSeed + int64(i))
			t.Run(fmt.Sprintf("seed %d", cases[i].Seed), func(t *testing.T) {
				t.Parallel()
				said[i] = simulate(t, cases[i])
			})
		}
	})
	var table Table
	for i, c := range cases {
		table.Add(c, said[i])
	}
	if err := table.Write(os.Stdout); err != nil {
		t.Fatalf("write the table: %v", err)
	}
	if len(table.Wrong) > 0 {
		t.Errorf("%d wrong rows, want none; replay one with -args -simulated 1 -first-seed SEED", len(table.Wrong))
	}
	if table.Cases() != *simulatedCases {
		t.Errorf("cases: got %d, want %d", table.Cases(), *simulatedCases)
	}
}

// TestWasWrong rehearses again what was judged wrongly, of 20,000: a baseline that came in one
// stretch, a set that was fetched when the rotation had withdrawn the new key, an issuer that
// did not publish it when its validator asked, and refusals by chance that one run in a hundred has.
func TestWasWrong(t *testing.T) {
	for _, seed := range []int64{2555, 4237, 5947, 6304, 8173, 9922, 21799, 29484} {
		var table Table
		c := Simulated(seed)
		table.Add(c, simulate(t, c))
		for _, wrong := range table.Wrong {
			t.Error(wrong)
		}
	}
}

// planOf is the plan of a case.
func planOf(t *testing.T, c Case) *plan.Plan {
	t.Helper()
	loaded, err := scenario.Load(fstest.MapFS{
		"page.yaml": {Data: []byte(c.Page)}, "scenario.yaml": {Data: []byte(c.Scenario)},
	}, "scenario.yaml")
	if err != nil {
		t.Fatalf("seed %d (%s): load: %v\n%s\n%s", c.Seed, c.Situation, err, c.Page, c.Scenario)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatalf("seed %d (%s): plan: %v\n%s\n%s", c.Seed, c.Situation, err, c.Page, c.Scenario)
	}
	return p
}

// simulate rehearses a case in a bubble of its own.
func simulate(t *testing.T, c Case) Said {
	t.Helper()
	p := planOf(t, c)
	verdict := rules.Judge(simulatedtest.Rehearse(t, p, c.World).History, p.Limits)
	if *simulatedCases == 1 { // a replay
		t.Logf("%s%s", c.Page, c.Scenario)
		for _, f := range verdict.Findings {
			t.Logf("%s %s: %s", f.Level, f.RuleID, f.Message)
		}
	}
	return saidBy(verdict)
}

// saidBy is what a verdict says, as it is scored.
func saidBy(v judge.Verdict) Said {
	said := Said{Verdict: string(v.Verdict), Why: v.Why, Named: []string{}}
	for _, f := range v.Findings {
		if f.Level == judge.Error && f.Consumer != "" && !slices.Contains(said.Named, f.Consumer) {
			said.Named = append(said.Named, f.Consumer)
		}
	}
	return said
}

// TestSeedReplays checks that a seed makes the same choices again, and another
// one others.
func TestSeedReplays(t *testing.T) {
	for seed := range int64(60) {
		a, b := Simulated(seed), Simulated(seed)
		if a.Page != b.Page || a.Scenario != b.Scenario || fmt.Sprint(a.Truth) != fmt.Sprint(b.Truth) {
			t.Fatalf("seed %d: drawn twice, want the same case", seed)
		}
		if other := Simulated(seed + int64(len(simulatedSituations()))); other.Situation != a.Situation || other.Page == a.Page {
			t.Errorf("seed %d and the next of its situation: got %s and %s with the same page %t, want one situation and two pages",
				seed, a.Situation, other.Situation, other.Page == a.Page)
		}
	}
}

// TestABlindHarnessIsFoundOut scores harnesses that do not look: each must have
// wrong rows, of the kind that is its own.
func TestABlindHarnessIsFoundOut(t *testing.T) {
	for _, tt := range []struct {
		name  string
		said  Said
		wrong func(r row) int
	}{
		{"always passes", Said{Verdict: Pass}, func(r row) int { return r.misses }},
		{"always fails", Said{Verdict: Fail}, func(r row) int { return r.falseAlarms }},
		{"never can tell", Said{Verdict: Inconclusive}, func(r row) int { return r.misses + r.falseAlarms }},
		{"always blames auth", Said{Verdict: Fail, Named: []string{"auth"}}, func(r row) int { return r.cases - r.rightCulprits }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var table Table
			for seed := range int64(2 * len(simulatedSituations())) {
				table.Add(Simulated(seed), tt.said)
			}
			n := 0
			for _, r := range table.rows {
				n += tt.wrong(*r)
			}
			if n == 0 || len(table.Wrong) < n {
				t.Errorf("wrong rows: got %d of this kind, %d told, want some, all told", n, len(table.Wrong))
			}
		})
	}
}
