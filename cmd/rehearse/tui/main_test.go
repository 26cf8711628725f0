package tui

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds text against a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs from its golden file (see the difference after -update); got:\n%s", name, got)
	}
}

// controls are those of a run that does not exist: they keep what was done.
type controls struct {
	mu      sync.Mutex
	did     []string
	refuses bool
}

func (c *controls) note(did string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses {
		return errors.Join(errors.New("it is not possible"), world.ErrNotNow)
	}
	c.did = append(c.did, did)
	return nil
}

func (c *controls) Note(did string) { _ = c.note("note: " + did) }
func (c *controls) Faults() []world.Injectable {
	return []world.Injectable{
		{Kind: "kill", Target: "search", Does: "ends a service at once"},
		{Kind: "pause", Target: "search", Does: "freezes a service"},
	}
}
func (c *controls) Inject(kind, target string) error    { return c.note("inject " + kind + " " + target) }
func (c *controls) UndoFault(kind, target string) error { return c.note("undo " + kind + " " + target) }
func (c *controls) Log(service string, n int) []string {
	return []string{
		`{"time":"2026-11-23T02:00:01Z","level":"INFO","msg":"fetched","service":"search","identifiers":["kid-1"],"holds":["kid-1"]}`,
		`{"time":"2026-11-23T02:00:02Z","level":"INFO","msg":"accepted","service":"search","identifier":"kid-1","presenter":"app","status":"200"}`,
		`{"time":"2026-11-23T02:00:03Z","level":"INFO","msg":"accepted","service":"search","identifier":"kid-1","presenter":"app","status":"200"}`,
		"a line of \x1b[31mits own",
	}
}

// limits are those of a page whose lead is too short for search.
var limits = plan.Limits{
	Family: "jwt-signing-key", Speed: 60, JudgedAt: history.FromLoad, Objective: 0.999, BudgetOver: 0.01, BudgetFor: 10 * time.Second, Gates: "observe",
	Lead: 5 * time.Minute, Propagation: 30 * time.Second, Window: 12 * time.Minute, Watch: 20 * time.Minute, LongestLife: 10 * time.Minute,
	Validators: []plan.Validator{
		{Name: "checkout", OnPage: true, Forgets: 15 * time.Minute, From: "auth", OnMiss: true, Library: "keyfunc"},
		{Name: "search", OnPage: true, Learns: 15 * time.Minute, Forgets: 15 * time.Minute, From: "auth", Library: "jwx"},
	},
	Emitters: []plan.Emitter{{Name: "auth", OnPage: true, Refresh: 45 * time.Second}},
	Clients:  []plan.Client{{Name: "web", To: "checkout", Rate: 20}, {Name: "app", To: "search", Rate: 10}},
}

// screen is a model whose clock is that of the events.
type screen struct {
	*model
	t           *testing.T
	controls    *controls
	console     *console.Console
	began       time.Time
	clock       time.Time
	interrupted bool
	quit        bool
}

func newScreen(t *testing.T, width, height int, hold bool) *screen {
	began := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	s := &screen{t: t, controls: &controls{}, began: began, clock: began}
	now := func() time.Time { return s.clock }
	told := &lines{}
	s.console = console.New(told, limits, console.Options{NoProgress: true})
	s.model = &model{
		board:    board.New(board.Run{Name: "jwt-signing-key/stale-cache", Limits: limits, Baseline: 5 * time.Minute, OnPage: []string{"auth", "checkout", "search"}}, now),
		operator: newOperator(hold, "", now), story: told, now: now, help: newHelp(), interrupt: func() { s.interrupted = true },
	}
	s.operator.Equip(s.controls)
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	return s
}

// send gives the model a message, and all that follows from it.
func (s *screen) send(msg tea.Msg) {
	s.t.Helper()
	if _, ok := msg.(tea.QuitMsg); ok {
		s.quit = true
		return
	}
	_, command := s.Update(msg)
	if command != nil {
		if next := command(); next != nil {
			s.send(next)
		}
	}
}

// press presses keys by their names.
func (s *screen) press(names ...string) {
	s.t.Helper()
	for _, name := range names {
		k := tea.Key{Text: name, Code: []rune(name)[0]}
		switch name {
		case "enter":
			k = tea.Key{Code: tea.KeyEnter}
		case "esc":
			k = tea.Key{Code: tea.KeyEscape}
		case "tab":
			k = tea.Key{Code: tea.KeyTab}
		case "up":
			k = tea.Key{Code: tea.KeyUp}
		case "down":
			k = tea.Key{Code: tea.KeyDown}
		case "left":
			k = tea.Key{Code: tea.KeyLeft}
		case "right":
			k = tea.Key{Code: tea.KeyRight}
		case "pgup":
			k = tea.Key{Code: tea.KeyPgUp}
		case "pgdown":
			k = tea.Key{Code: tea.KeyPgDown}
		case "ctrl+c":
			k = tea.Key{Code: 'c', Mod: tea.ModCtrl}
		}
		s.send(tea.KeyPressMsg(k))
	}
}

// shown is what is on the screen.
func (s *screen) shown() string { return s.View().Content }

// wantShown wants texts on the screen, without regard to style.
func (s *screen) wantShown(texts ...string) {
	s.t.Helper()
	shown := bare(s.shown())
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			s.t.Errorf("%q is not on the screen:\n%s", text, shown)
		}
	}
}

// wantDid wants what was done with the controls.
func (s *screen) wantDid(want ...string) {
	s.t.Helper()
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	if !slices.Equal(s.controls.did, want) {
		s.t.Errorf("did %q, want %q", s.controls.did, want)
	}
}

func at(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }

// tell plays events, each at its time.
func (s *screen) tell(events ...history.Event) *screen {
	for _, e := range events {
		if now := s.began.Add(e.At.Duration()); now.After(s.clock) {
			s.clock = now
		}
		s.board.Event(e)
		s.console.Event(e)
	}
	return s
}

// load plays seconds of load of a client, in tenths.
func (s *screen) load(from, to float64, presenter, validator, credential string, attempts, refused int64) *screen {
	for start := at(from); start < at(to); start += at(0.1) {
		c := &history.Counts{
			Source: history.FromLoad, Presenter: presenter, Validator: validator, Credential: credential, Width: at(0.1),
			Attempts: attempts, OK: attempts - refused, AuthFailures: refused, Latency: [][2]int64{{900, attempts}},
			Statuses: map[string]int64{"200": attempts - refused},
		}
		if refused > 0 {
			c.FirstFailure, c.LastFailure = start+at(0.01), start+at(0.09)
			c.Statuses["401"] = refused
			c.Examples = []history.Example{{At: c.FirstFailure, Status: "401"}}
		}
		s.tell(history.Event{At: start, Kind: history.KindCounts, Counts: c})
	}
	return s
}

func phase(seconds float64, p history.Phase) history.Event {
	return history.Event{At: at(seconds), Kind: history.KindPhase, Phase: p}
}

// baseline is a run at the end of its baseline.
func (s *screen) baseline() *screen {
	return s.tell(
		history.Event{Kind: history.KindPlan},
		history.Event{Kind: history.KindCredential, Credential: "k1", Identifier: "kid-1"},
		history.Event{Kind: history.KindStep, Step: "accept", Credential: "k1"},
		history.Event{Kind: history.KindFetched, Service: "search", Credentials: []string{"k1"}, Holds: []string{"k1"}},
		history.Event{Kind: history.KindLearned, Service: "search", Credential: "k1"},
		history.Event{Kind: history.KindLearned, Service: "checkout", Credential: "k1"},
		history.Event{Kind: history.KindEmitting, Service: "auth", Credential: "k1"},
		phase(0.1, history.Baseline),
	).load(0.1, 5, "web", "checkout", "k1", 2, 0).load(0.1, 5, "app", "search", "k1", 1, 0).tell(
		history.Event{At: at(5), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Baseline, Mode: "observe", Held: true,
			Detail: "147 attempts, every client seen, failures inside the objective"}},
	)
}

// refused is a run in which search refuses the new key, with a fault.
func (s *screen) refused() *screen {
	fault := func(seconds float64, stage string, took bool, evidence map[string]float64) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindFault, Fault: &history.Fault{
			Kind: "pause", Target: "checkout", Stage: stage, Took: took, Evidence: evidence, By: "operator"}}
	}
	s.baseline().tell(
		phase(5, history.Accept),
		history.Event{At: at(5), Kind: history.KindCredential, Credential: "k2", Identifier: "kid-2"},
		history.Event{At: at(5), Kind: history.KindStep, Step: "accept", Credential: "k2"},
		phase(5.1, history.Verify),
	).load(5, 10, "web", "checkout", "k1", 2, 0).load(5, 10, "app", "search", "k1", 1, 0)
	s.tell(
		history.Event{At: at(6), Kind: history.KindLearned, Service: "checkout", Credential: "k2"},
		history.Event{At: at(10), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Verify, Mode: "observe", Consumer: "search",
			Detail: "the lead is 5m and must be at least 16m15s for search, and search has not taken k2"}},
		history.Event{At: at(10), Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRecord, Trigger: history.TriggerGate, Why: "the gate of verify does not hold"}},
		phase(10, history.Emit),
		history.Event{At: at(10.1), Kind: history.KindEmitting, Service: "auth", Credential: "k2"},
		history.Event{At: at(10.2), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Emit, Mode: "observe", Held: true, Detail: "every emitter uses k2"}},
		phase(10.2, history.Overlap),
		fault(10.5, "injected", false, nil),
		fault(10.9, "evidence", true, map[string]float64{"before_asked": 3, "before_answered": 3, "during_asked": 3}),
	)
	return s.load(10.2, 12, "web", "checkout", "k2", 2, 0).load(10.2, 11.2, "app", "search", "k1", 1, 0).load(11.2, 12, "app", "search", "k2", 1, 1)
}

// judged is refused to its end, with a verdict.
func (s *screen) judged() *screen {
	s.refused().load(12, 14, "web", "checkout", "k2", 2, 0).load(12, 14, "app", "search", "k2", 1, 0).tell(
		phase(22, history.Revoke), phase(22, history.Watch),
		history.Event{At: at(42), Kind: history.KindEnd, Detail: history.EndedComplete},
	)
	s.board.Conclude(judge.Verdict{
		Verdict: judge.Fail, AuthFailures: judge.NotFlat,
		Why: "app was refused 8 times by search with k2: search learned it 14m53s after it was accepted, and the lead was 5m",
		Findings: []judge.Finding{{
			RuleID: "auth-failures-flat", Level: judge.Error,
			Message:   "app was refused 8 times by search with k2: search learned it 14m53s after it was accepted, and the lead was 5m",
			Presenter: "app", Validator: "search", Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache,
			FirstPhase: "overlap", FirstMS: 11210, LastMS: 11990, Count: 8, BudgetSpent: 57, Fix: "publish at least 16m15s before emitting (lead)",
		}},
		Rules: []judge.Rule{
			{ID: "auth-failures-flat", Outcome: judge.Fail, Detail: "8 of 385 attempts were refused"},
			{ID: "availability", Outcome: judge.Pass, Detail: "385 of 385 first attempts got an answer"},
			{ID: "ledger", Outcome: judge.Skipped, Detail: "this secret's consumers have no ledger"},
		},
	})
	return s
}
