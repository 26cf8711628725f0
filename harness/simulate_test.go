package harness_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/simulation"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// simulatedPlan is the plan of a built-in scenario in virtual time.
func simulatedPlan(t *testing.T, name string, seed int64) *plan.Plan {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
	if err != nil {
		t.Fatalf("load %s: %v", name, err)
	}
	p, err := plan.Build(loaded, plan.Options{Simulated: true, Seed: seed})
	if err != nil {
		t.Fatalf("plan %s: %v", name, err)
	}
	return p
}

// otherwise are the built-in scenarios that come to something else in virtual time than
// they expect of a real run, each with what differs and why. With a seed, they come to
// what they expect with that one.
var otherwise = map[string]struct {
	why, differs string
	seed         int64
}{
	"api-key/provider-cut-off": {
		why:     "answers take no time here, so that no charge is under way when the way to the provider is cut: none is made and not confirmed",
		differs: "no finding is {ruleId: ledger",
	},
	"api-key/second-rotation": {
		why:     "with the scenario's seed billing happens to read the store 10 ms after the other rotation took its key away",
		differs: "credential: k1, caused_by: second-rotation", seed: 2,
	},
}

// beyond are words for what cannot be simulated, with how many built-in scenarios hang on
// it: it grows with a reason only.
var beyond = map[string]int{
	"is in a program of its own": 17, "a database with room for so many connections": 3, "connections that the revoke ends": 6, "a new pool beside the old one": 1,
	"an authority with room for one credential": 11, "a pooler": 4, "sessions that outlive the revoke": 3,
	"the fault clock": 4, "the fault missing-kid": 2, "the fault same-kid": 1, "the fault slow": 1, "a system that runs already": 0,
}

// TestTheCatalogueSimulated takes every built-in scenario through virtual time and holds
// it against what it expects of a real run.
func TestTheCatalogueSimulated(t *testing.T) {
	names, err := scenarios.List()
	if err != nil {
		t.Fatal(err)
	}
	unable := map[string]int{}
	for _, name := range names {
		p := simulatedPlan(t, name, 0)
		o := harness.Options{Runtime: harness.Simulated, Folder: filepath.Join(t.TempDir(), "run")}
		outcome, err := harness.Run(t.Context(), p, o)
		if errors.Is(err, harness.ErrNotSimulated) {
			known := false
			for words := range beyond {
				if strings.Contains(err.Error(), words) {
					unable[words]++
					known = true
					break
				}
			}
			if !known {
				t.Errorf("%v: that is no reason that is known", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !outcome.Verdict.Totals.Simulated || outcome.Runtime != harness.Simulated {
			t.Errorf("%s: nothing says that it was simulated", name)
		}
		differences := harness.Differences(p.Rehearsal.Expect, outcome.Verdict)
		other, explained := otherwise[name]
		switch {
		case !explained && len(differences) > 0:
			t.Errorf("%s: %q", name, differences)
		case explained && !slices.ContainsFunc(differences, func(d string) bool { return strings.Contains(d, other.differs) }):
			t.Errorf("%s: got the differences %q, want one with %q (%s)", name, differences, other.differs, other.why)
		case other.seed != 0:
			p := simulatedPlan(t, name, other.seed)
			o.Folder = filepath.Join(t.TempDir(), "run")
			outcome, err := harness.Run(t.Context(), p, o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if differences := harness.Differences(p.Rehearsal.Expect, outcome.Verdict); len(differences) > 0 {
				t.Errorf("%s with seed %d: %q, want none", name, other.seed, differences)
			}
		}
	}
	for words, want := range beyond {
		if unable[words] > want {
			t.Errorf("%d scenarios cannot be simulated because of %q, want at most %d", unable[words], words, want)
		}
	}
}

// TestASeedReplaysASimulation wants the same history twice, event by event.
func TestASeedReplaysASimulation(t *testing.T) {
	var events [2][]history.Event
	for i := range events {
		outcome, err := harness.Run(t.Context(), simulatedPlan(t, "jwt-signing-key/brownout", 7), harness.Options{
			Runtime: harness.Simulated, Folder: filepath.Join(t.TempDir(), "run"),
		})
		if err != nil {
			t.Fatal(err)
		}
		events[i] = outcome.History.Events
	}
	if len(events[0]) != len(events[1]) {
		t.Fatalf("events: got %d and %d, want as many", len(events[0]), len(events[1]))
	}
	for i, e := range events[0] {
		if other := events[1][i]; e.At != other.At || e.Kind != other.Kind || e.Service != other.Service {
			t.Fatalf("event %d: got %s of %s at %s and %s of %s at %s, want the same", i, e.Kind, e.Service, e.At.Wall(), other.Kind, other.Service, other.At.Wall())
		}
	}
}

// TestOnlySimulated refuses to start what virtual time alone has, before anything is.
func TestOnlySimulated(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	_, err := harness.Run(t.Context(), simulatedPlan(t, "incidents/istio", 0), harness.Options{Runtime: "process", Folder: folder})
	if !errors.Is(err, harness.ErrOnlySimulated) || !strings.Contains(err.Error(), "mesh is known by what the page says of it") {
		t.Errorf("got %v, want %v of mesh", err, harness.ErrOnlySimulated)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the run: got %v, want that there is none", err)
	}
}

// TestFleetsAreSimulatedOnly: for real there is one of each.
func TestFleetsAreSimulatedOnly(t *testing.T) {
	_, err := harness.Run(t.Context(), simulatedPlan(t, "jwt-signing-key/edge-fleet", 0), harness.Options{Runtime: "process", Folder: filepath.Join(t.TempDir(), "run")})
	if !errors.Is(err, harness.ErrOnlySimulated) || !strings.Contains(err.Error(), "services.edge.count is 300") {
		t.Errorf("got %v, want %v because of edge", err, harness.ErrOnlySimulated)
	}
}

// TestRolloutsAreSimulatedOnly: for real there is one of each, which has everything at once.
func TestRolloutsAreSimulatedOnly(t *testing.T) {
	_, err := harness.Run(t.Context(), simulatedPlan(t, "api-key/rollout-in-batches", 0), harness.Options{Runtime: "process", Folder: filepath.Join(t.TempDir(), "run")})
	if !errors.Is(err, harness.ErrOnlySimulated) || !strings.Contains(err.Error(), "services.billing.rollout is 20m") {
		t.Errorf("got %v, want %v because of the rollout of billing", err, harness.ErrOnlySimulated)
	}
}

// BenchmarkManyAlike rehearses and judges a day of page time of 50,000 verifiers behind 300
// copies of a cache, called by a million clients.
func BenchmarkManyAlike(b *testing.B) {
	loaded, err := scenario.Load(scenarios.FS, scenarios.File("jwt-signing-key/edge-fleet-longer-lead"))
	if err != nil {
		b.Fatal(err)
	}
	day := *loaded
	day.Runbook.Rollout.Watch = runbook.Duration(23 * time.Hour)
	p, err := plan.Build(&day, plan.Options{Simulated: true, Speed: 1})
	if err != nil {
		b.Fatal(err)
	}
	var requests int64
	for b.Loop() {
		r, err := simulation.Rehearse(b.Context(), p, simulated.Options{})
		if err != nil {
			b.Fatal(err)
		}
		v := rules.Judge(r.History, p.Limits)
		if v.Verdict != judge.Pass {
			b.Fatalf("verdict: got %s (%s), want a pass", v.Verdict, v.Why)
		}
		requests = v.Totals.Sent
	}
	b.ReportMetric(float64(requests), "requests")
}

// BenchmarkRequests shows that a simulation costs by its events, and hardly by its
// requests.
func BenchmarkRequests(b *testing.B) {
	loaded, err := scenario.Load(scenarios.FS, scenarios.File("jwt-signing-key/stale-cache"))
	if err != nil {
		b.Fatal(err)
	}
	for _, times := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d×", times), func(b *testing.B) {
			more := *loaded
			more.Scenario.Load = slices.Clone(loaded.Scenario.Load)
			for i := range more.Scenario.Load {
				more.Scenario.Load[i].Rate *= scenario.Rate(10 * times) // from 10 times the scenario's on
			}
			p, err := plan.Build(&more, plan.Options{Simulated: true})
			if err != nil {
				b.Fatal(err)
			}
			var requests int64
			for b.Loop() {
				r, err := simulation.Rehearse(b.Context(), p, simulated.Options{})
				if err != nil {
					b.Fatal(err)
				}
				requests = rules.Judge(r.History, p.Limits).Totals.Sent
			}
			b.ReportMetric(float64(requests), "requests")
		})
	}
}

// BenchmarkFleet rehearses and judges a day of page time with ever more verifiers, and a
// client for each ten of them: what it costs grows as the fleet does.
func BenchmarkFleet(b *testing.B) {
	loaded, err := scenario.Load(scenarios.FS, scenarios.File("jwt-signing-key/healthy"))
	if err != nil {
		b.Fatal(err)
	}
	for _, verifiers := range []int{10, 100, 1000} {
		b.Run(strconv.Itoa(verifiers), func(b *testing.B) {
			day := *loaded
			page := &day.Runbook
			page.Rollout.Watch = runbook.Duration(23 * time.Hour)
			search, consumer := day.Scenario.Services["search"], page.Consumers[2]
			day.Scenario.Services = maps.Clone(day.Scenario.Services)
			for i := range verifiers - 2 {
				consumer.Name = "search-" + strconv.Itoa(i)
				page.Consumers = append(slices.Clip(page.Consumers), consumer)
				day.Scenario.Services[consumer.Name] = search
				if i%10 == 0 {
					client := day.Scenario.Load[1]
					client.Client, client.To = "app-"+strconv.Itoa(i), consumer.Name
					day.Scenario.Load = append(slices.Clip(day.Scenario.Load), client)
				}
			}
			p, err := plan.Build(&day, plan.Options{Simulated: true})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				r, err := simulation.Rehearse(b.Context(), p, simulated.Options{})
				if err != nil {
					b.Fatal(err)
				}
				// Nobody calls most of them, so that it cannot be told of those whether it is flat.
				if v := rules.Judge(r.History, p.Limits); v.Verdict == judge.Fail {
					b.Fatalf("verdict: got %s (%s), want none that fails", v.Verdict, v.Why)
				}
				b.ReportMetric(float64(len(r.History.Events)), "events")
			}
		})
	}
}

// TestFaultsThatHaveNothingToActUpon: one that comes when there is nothing for it to do leaves
// no evidence, and one that never can is refused, here as in a real run.
func TestFaultsThatHaveNothingToActUpon(t *testing.T) {
	for _, tt := range []struct {
		name, kind, on, at string
		lasts              time.Duration
		want               string // of the rule faults; "": it is refused
	}{
		{"a lag over the revoke", "revocation-lag", "payments", "revoke", 3 * time.Minute, "pass"},
		{"a lag that is over before", "revocation-lag", "payments", "accept", 3 * time.Minute, "inconclusive"},
		{"a lag after the revoke", "revocation-lag", "payments", "watch", time.Minute, ""},
		{"spoilt from before the new one on", "newline", "billing", "baseline", 0, "pass"},
		{"spoilt when nothing new comes", "newline", "billing", "overlap", time.Minute, "inconclusive"},
		{"a rotator that dies where it writes", "kill-rotator", "store", "emit", 2 * time.Minute, "pass"},
		{"a rotator that dies where it does not", "kill-rotator", "store", "overlap", 2 * time.Minute, ""},
	} {
		p := simulatedPlan(t, "api-key/healthy", 1)
		p.Rehearsal.Faults = []scenario.Fault{{Kind: tt.kind, On: tt.on, At: scenario.Moment{Phase: tt.at}, For: runbook.Duration(tt.lasts)}}
		outcome, err := harness.Run(t.Context(), p, harness.Options{Runtime: harness.Simulated, Folder: filepath.Join(t.TempDir(), "run")})
		if tt.want == "" {
			if !errors.Is(err, harness.ErrNotSimulated) {
				t.Errorf("%s: got %v, want it refused", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		for _, r := range outcome.Verdict.Rules {
			if r.ID == "faults" && string(r.Outcome) != tt.want {
				t.Errorf("%s: faults is %s, want %s (%s)", tt.name, r.Outcome, tt.want, r.Detail)
			}
		}
	}
}
