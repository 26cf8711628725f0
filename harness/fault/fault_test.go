package fault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// bare is a runtime without any ability.
type bare struct{ url string }

func (bare) Name() string                              { return "bare" }
func (bare) Start(context.Context, []world.Spec) error { return nil }
func (b bare) URL(string, bool) string                 { return b.url }
func (bare) Stop(context.Context) error                { return nil }

// machine is a runtime whose one service is up or not.
type machine struct {
	bare
	inert bool // what it is told to do has no effect

	mu    sync.Mutex
	up    bool
	calls []string
	fail  map[string]error
}

func newMachine() *machine { return &machine{up: true, fail: map[string]error{}} }

func (m *machine) call(name string, up bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, name)
	if err := m.fail[name]; err != nil {
		return err
	}
	if !m.inert {
		m.up = up
	}
	return nil
}

// freeze makes what it is told from now on have no effect.
func (m *machine) freeze() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inert = true
}

func (m *machine) Kill(context.Context, string) error    { return m.call("kill", false) }
func (m *machine) Restart(context.Context, string) error { return m.call("restart", true) }
func (m *machine) Pause(context.Context, string) error   { return m.call("pause", false) }
func (m *machine) Unpause(context.Context, string) error { return m.call("unpause", true) }

// answers takes a moment of the bubble's time, as a network does.
func (m *machine) answers(ctx context.Context, _ string) bool {
	m.mu.Lock()
	up := m.up
	m.mu.Unlock()
	answer := time.Millisecond
	if !up {
		answer = time.Hour
	}
	return (world.WallClock{}).Sleep(ctx, answer) == nil
}

// diary records fault events; what it shows is what all events tell.
type diary struct {
	begin time.Time

	mu     sync.Mutex
	events []history.Event
	view   *history.View
}

func (d *diary) Record(e history.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.see().Apply(e)
	if e.Kind == history.KindFault {
		d.events = append(d.events, e)
	}
}

// see is the view; d.mu is held.
func (d *diary) see() *history.View {
	if d.view == nil {
		d.view = history.NewView()
	}
	return d.view
}

func (d *diary) See(look func(*history.View)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	look(d.see())
}
func (d *diary) Offset() history.Offset { return history.Offset(time.Since(d.begin)) }

// stages are those of the recorded faults, in order.
func (d *diary) stages() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	stages := make([]string, len(d.events))
	for i, e := range d.events {
		stages[i] = e.Fault.Stage
	}
	return stages
}

// find is the first event of a stage.
func (d *diary) find(t *testing.T, stage string) history.Event {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.Fault.Stage == stage {
			return e
		}
	}
	t.Fatalf("no fault event has the stage %s; got %+v", stage, d.events)
	return history.Event{}
}

// planOf is a plan at speed 10 with one fault on the service search.
func planOf(faults ...scenario.Fault) *plan.Plan {
	return &plan.Plan{
		Limits:    plan.Limits{Speed: 10},
		Rehearsal: scenario.Scenario{Faults: faults},
		Services:  []plan.Service{{Name: "search"}},
	}
}

func faultOf(kind string, after, lasts time.Duration) scenario.Fault {
	return scenario.Fault{
		Kind: kind, On: "search", For: runbook.Duration(lasts),
		At: scenario.Moment{Phase: "emit", After: runbook.Duration(after)},
	}
}

// bound prepares the faults of a plan and binds them.
func bound(p *plan.Plan, r world.Runtime, d *diary) (*Schedule, error) {
	g, err := Prepare(p)
	if err != nil {
		return nil, err
	}
	return New(g, Place{Runtime: r, History: d})
}

func TestPrepareRefuses(t *testing.T) {
	tests := []struct {
		name    string
		fault   scenario.Fault
		runtime world.Runtime
		want    string
		cannot  bool
	}{
		{name: "an unknown kind", fault: scenario.Fault{Kind: "kil", On: "search"}, runtime: newMachine(), want: `faults[0], kil: there is no such kind: did you mean "kill"`},
		{name: "an unknown service", fault: scenario.Fault{Kind: "kill", On: "serch"}, runtime: newMachine(), want: `no service "serch"`},
		{name: "a service without a name", fault: scenario.Fault{Kind: "pause", From: "a", To: "b"}, runtime: newMachine(), want: "on: NAME"},
		{name: "a clock that is not shifted", fault: scenario.Fault{Kind: "clock", On: "search"}, runtime: newMachine(), want: "it needs a shift of 2s or more"},
		{name: "a cap that nobody would see", fault: scenario.Fault{Kind: "jwks", On: "search", Answer: "429", Limit: 50}, runtime: newMachine(), want: "50/s is more often than the harness asks"},
		{name: "a rotator elsewhere", fault: scenario.Fault{Kind: "kill-rotator", On: "search", At: scenario.Moment{Phase: "emit"}}, runtime: newMachine(), want: "search is not the store"},
		{name: "a rotator where it writes nothing", fault: scenario.Fault{Kind: "kill-rotator", On: "store", At: scenario.Moment{Phase: "overlap"}}, runtime: newMachine(), want: "at: one of these"},
		{name: "a rotator that dies for a moment", fault: scenario.Fault{Kind: "kill-rotator", On: "store", At: scenario.Moment{Phase: "emit"}, For: runbook.Duration(lasts / 2)}, runtime: newMachine(), want: "at least 20s at this speed"},
		{name: "a team's own rotator", fault: scenario.Fault{Kind: "kill-rotator", On: "store", At: scenario.Moment{Phase: "emit"}, For: runbook.Duration(lasts)}, runtime: newMachine(), want: "not rehearse's own", cannot: true},
		{name: "a revoke that is over", fault: scenario.Fault{Kind: "revocation-lag", On: "search", At: scenario.Moment{Phase: "watch"}}, runtime: newMachine(), want: "at: revoke, or before"},
		{name: "a revoke by none that serves", fault: scenario.Fault{Kind: "revocation-lag", On: "search", At: scenario.Moment{Phase: "revoke"}}, runtime: newMachine(), want: "none that serves as provider", cannot: true},
		{name: "an edge without an end", fault: scenario.Fault{Kind: "cut", On: "search"}, runtime: newMachine(), want: "from: NAME, to: NAME"},
		{name: "an edge to nowhere", fault: scenario.Fault{Kind: "cut", From: "search", To: "auht"}, runtime: newMachine(), want: `no service "auht"`},
		{name: "an edge in a circle", fault: scenario.Fault{Kind: "cut", From: "search", To: "search"}, runtime: newMachine(), want: "no edge to itself"},
		{name: "a runtime that cannot kill", fault: faultOf("kill", 0, 0), runtime: bare{}, want: "bare cannot kill", cannot: true},
		{name: "a runtime that cannot restart", fault: faultOf("restart", 0, 0), runtime: bare{}, want: "cannot", cannot: true},
		{name: "a runtime that cannot pause", fault: faultOf("pause", 0, 0), runtime: bare{}, want: "cannot pause", cannot: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bound(planOf(tt.fault), tt.runtime, &diary{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "prepare") {
				t.Errorf("got %v, want an error of the preparation with %q", err, tt.want)
			}
			if got := errors.Is(err, ErrCannot); got != tt.cannot {
				t.Errorf("errors.Is(%v, ErrCannot): got %t, want %t", err, got, tt.cannot)
			}
		})
	}
}

func TestTargetsOfEveryRun(t *testing.T) {
	for _, name := range runbook.Standing {
		if _, err := bound(planOf(scenario.Fault{Kind: "pause", On: name}), newMachine(), &diary{}); err != nil {
			t.Errorf("a fault on %s: %v", name, err)
		}
	}
}

func TestKindsAreDescribed(t *testing.T) {
	if names := Names(); !slices.IsSorted(names) || len(names) == 0 {
		t.Errorf("got %q, want names in order", names)
	}
	for _, k := range Kinds() {
		if k.Does == "" || k.Where == "" || k.Evidence == "" {
			t.Errorf("kind %s: got %+v, want every part said", k.Name, k)
		}
	}
}
