package harness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/leak"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// playing is an operator who pauses a service before verify, takes it back, and
// reads its log.
type playing struct {
	t        *testing.T
	controls world.Controls
	offered  []world.Injectable
	again    error // of injecting what is under way
	log      []string
	measured chan struct{} // closed when the fault's evidence was taken
}

// Event waits for the evidence.
func (o *playing) Event(e history.Event) {
	if e.Kind == history.KindFault && e.Fault.Stage == history.FaultEvidence {
		close(o.measured)
	}
}

func (*playing) Dropped(int64) {}

func (o *playing) Equip(c world.Controls) { o.controls = c }

func (*playing) Interrupt() <-chan world.Command { return nil }

func (o *playing) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if next != history.Verify {
		return world.GoOn, ctx.Err()
	}
	o.offered = o.controls.Faults()
	o.controls.Note("plays a game day")
	if err := o.controls.Inject("pause", "checkout"); err != nil {
		o.t.Error(err)
	}
	o.again = o.controls.Inject("pause", "checkout")
	select {
	case <-o.measured:
	case <-ctx.Done():
	}
	if err := o.controls.UndoFault("pause", "checkout"); err != nil {
		o.t.Error(err)
	}
	for range 500 { // the service answers again before the next phase
		if !slices.ContainsFunc(o.controls.Log("checkout", 400), func(line string) bool { return strings.Contains(line, "accepted") }) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		break
	}
	o.log = o.controls.Log("checkout", 400)
	return world.Approved, ctx.Err()
}

// TestOperatorPlays has a person inject a fault into a real run: it leaves the
// evidence that every fault does, is undone, and all of it is on record.
func TestOperatorPlays(t *testing.T) {
	t.Parallel()
	o := inProcesses(t)
	operator := &playing{t: t, measured: make(chan struct{})}
	o.Operator, o.Listeners = operator, []history.Listener{operator}
	outcome, err := Run(t.Context(), plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), o)
	if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, o)
	if !slices.ContainsFunc(operator.offered, func(i world.Injectable) bool { return i.Kind == "kill" && i.Target == "checkout" }) {
		t.Errorf("faults that can be injected: got %+v, want kill on checkout among them", operator.offered)
	}
	if !errors.Is(operator.again, world.ErrNotNow) {
		t.Errorf("injected twice: got %v, want not now", operator.again)
	}
	if got := outcome.Verdict.Faults; len(got) != 1 || !got[0].Took || got[0].By != "operator" || got[0].UndoneMS < got[0].InjectedMS {
		t.Errorf("faults: got %+v, want one that took effect and was undone, by the operator", got)
	}
	passed(t, outcome.Verdict, "faults")
	var did []string
	for _, a := range outcome.Verdict.Operator {
		did = append(did, a.Did)
	}
	want := []string{"plays a game day", "injected pause on checkout", "undid pause on checkout"}
	if len(did) != 4 || !slices.Equal(did[:3], want) || !strings.HasPrefix(did[3], "went on to verify, after ") {
		t.Errorf("what the operator did: got %q, want %q and that they went on", did, want)
	}
	if len(operator.log) == 0 {
		t.Error("the log of checkout: got nothing")
	}
}

// silentBound is a family that made no secret.
type silentBound struct{ family.Binding }

func (silentBound) Secrets() []string { return nil }

// TestLogOfControlsHidesSecrets has a service that logs what it must not.
func TestLogOfControlsHidesSecrets(t *testing.T) {
	const secret = "a-token-of-the-store-that-nobody-sees"
	r := &run{plan: plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), names: logs.NewNames(&plan.Plan{}), secrets: []string{secret}}
	r.recorder = history.NewRecorder(time.Now(), nil)
	r.logs = logs.New(t.TempDir(), r.plan, r.names, r.recorder)
	r.bound = silentBound{}
	r.logs.Line("search", []byte("presented "+secret+" to the store"))
	r.logs.Line("search", []byte("and went on"))
	got := controls{run: r}.Log("search", 10)
	if want := []string{"presented [secret] to the store", "and went on"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if hits := leak.New(r.secrets).Count([]byte(strings.Join(got, "\n"))); hits > 0 {
		t.Errorf("got %d secrets in what an operator sees, want none", hits)
	}
	if err := r.logs.Close(); err != nil {
		t.Fatal(err)
	}
}
