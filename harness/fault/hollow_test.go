package fault

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// trial is a small world in which a kind can be injected. It calls live with a
// schedule of one fault of the kind, and returns when it was undone.
type trial func(t *testing.T, kind string, d *diary, live func(*Schedule))

// trials are those of each kind: at everything that it can be done to in a way
// of its own.
var trials = map[string][]trial{
	"cache":           {onAKeySet},
	"clock":           {onAnIssuer, onAClock("verifier"), onAClock("receiver")},
	"cut":             {onAnEdge},
	"double-base64":   {onAReader},
	"early-rollout":   {onARollout},
	"foreign-secret":  {onAReader},
	"garbage-kids":    {onAVerifier},
	"hold-back":       {onAReader},
	"jwks":            {onAnIssuer},
	"kill":            {onAMachine},
	"kill-rotator":    {onARotator},
	"latency":         {onAnEdge},
	"missing-kid":     {onAnIssuer},
	"newline":         {onAReader},
	"old-kid":         {onAnIssuer},
	"partition":       {onAnEdge},
	"pause":           {onAMachine},
	"put-back":        {onALogin},
	"quoting":         {onAReader},
	"restart":         {onAMachine},
	"revocation-lag":  {onAProvider},
	"same-kid":        {onAnIssuer},
	"seal":            {onTheStore},
	"second-rotation": {besideAReader},
	"slow":            {onAnEdge},
	"stuck-rollout":   {onARollout},
	"truncated":       {onAReader},
	"write-back":      {onADelivery},
	"wrong-algorithm": {onAnIssuer},
}

// lasts is how long a fault is in effect in these worlds, as the scenario says it:
// at speed 10.
const lasts = 20 * time.Second

// TestEveryKind injects each kind, which must leave evidence, and then replaces
// its injection by nothing: a run with that must be inconclusive.
func TestEveryKind(t *testing.T) {
	healthy, limits := rehearsed(t)
	for _, k := range Kinds() {
		if len(trials[k.Name]) == 0 {
			t.Errorf("%s: it is tried nowhere", k.Name)
		}
		for n, try := range trials[k.Name] {
			for _, injected := range []bool{true, false} {
				name := fmt.Sprintf("%s %d injected", k.Name, n+1)
				if !injected {
					name = fmt.Sprintf("%s %d replaced by nothing", k.Name, n+1)
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					tried(t, k.Name, try, injected, healthy, limits)
				})
			}
		}
	}
}

// tried is one trial of a kind, and what a healthy run with it comes to.
func tried(t *testing.T, kind string, try trial, injected bool, healthy *history.History, limits plan.Limits) {
	d := &diary{begin: time.Now()}
	try(t, kind, d, func(s *Schedule) {
		if !injected {
			s.waiting[0].Fault = hollow{s.waiting[0].Fault}
		}
	})
	if got, want := d.stages(), []string{"injected", "evidence", "undone"}; !slices.Equal(got, want) {
		t.Errorf("stages: got %q, want %q: %+v", got, want, d.events)
	}
	evidence := d.find(t, "evidence").Fault
	if evidence.Took != injected {
		t.Errorf("evidence %v: got that it took effect: %t, want %t", evidence.Evidence, evidence.Took, injected)
	}
	want := "inconclusive"
	if injected {
		want = "pass"
	}
	if got := rules.Judge(with(healthy, d), limits); string(got.Verdict) != want {
		t.Errorf("a healthy run with it: got %s, want %s: %+v", got.Verdict, want, got.Rules)
	}
}

// hollow is a fault whose injection does nothing.
type hollow struct{ Fault }

func (hollow) Inject(context.Context) error { return nil }

// rehearsed is a healthy rotation in the simulated world.
func rehearsed(t *testing.T) (*history.History, plan.Limits) {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File("jwt-signing-key/healthy"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return simulatedtest.Rehearse(t, p, simulated.Options{}).History, p.Limits
}

// with is a history in which a diary's faults happened in the overlap.
func with(h *history.History, d *diary) *history.History {
	out := *h
	i := slices.IndexFunc(h.Events, func(e history.Event) bool { return e.Kind == history.KindPhase && e.Phase == history.Overlap })
	faults := slices.Clone(d.events)
	for n := range faults {
		faults[n].At = h.Events[i].At
	}
	out.Events = slices.Insert(slices.Clone(h.Events), i+1, faults...)
	return &out
}

// onAMachine tries what ends or freezes a service.
func onAMachine(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		d.begin = time.Now()
		s, err := bound(planOf(faultOf(kind, 0, lasts)), m, d)
		if err != nil {
			t.Fatal(err)
		}
		s.site.ask = m.answers
		live(s)
		s.Begin(t.Context(), history.Emit)
		time.Sleep(time.Minute)
		if err := s.Undo(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// onAnEdge tries what disturbs connections.
func onAnEdge(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	w.serve("auth", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	p := planOf(scenario.Fault{Kind: kind, From: "search", To: "auth", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}})
	p.Services = append(p.Services, plan.Service{Name: "auth"})
	s := w.settle(p, d)
	live(s)
	through(t, s, d, nil)
}

// through leads the fault of a schedule through its life, in real time; then is
// called once it was injected.
func through(t *testing.T, s *Schedule, d *diary, then func()) {
	t.Helper()
	s.Begin(t.Context(), history.Emit)
	await(t, d, "injected")
	if then != nil {
		then()
	}
	await(t, d, "undone")
	if err := s.Undo(t.Context()); err != nil {
		t.Error(err)
	}
}

// await waits for a stage, or until there will be none.
func await(t *testing.T, d *diary, stage string) {
	t.Helper()
	deadline := time.Now().Add(2 * undoWithin)
	for !d.has(stage) && !d.has("failed") && time.Now().Before(deadline) {
		_ = (world.WallClock{}).Sleep(t.Context(), askEvery)
	}
}
