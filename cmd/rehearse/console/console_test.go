package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
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
		t.Errorf("%s differs from its golden file\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

var limits = plan.Limits{
	Family: "jwt-signing-key", Speed: 60, JudgedAt: history.FromLoad, Gates: "observe",
	Lead: 5 * time.Minute, Propagation: 30 * time.Second, Window: 45 * time.Minute, Watch: 20 * time.Minute, LongestLife: 10 * time.Minute,
	Validators: []plan.Validator{{Name: "checkout"}, {Name: "search"}}, Clients: []plan.Client{{Name: "web"}},
}

func at(ms int64) history.Offset { return history.Offset(time.Duration(ms) * time.Millisecond) }

// counted is a tenth of a second of load.
func counted(ms int64, validator, credential string, attempts, failures int64) history.Event {
	c := &history.Counts{
		Source: history.FromLoad, Presenter: "web", Validator: validator, Credential: credential, Width: at(100),
		Attempts: attempts, OK: attempts - failures, AuthFailures: failures,
	}
	if failures > 0 {
		c.Statuses = map[string]int64{"401": failures}
		c.FirstFailure, c.LastFailure = at(ms+20), at(ms+90)
		c.Examples = []history.Example{{At: at(ms + 20), Status: "401"}}
	}
	return history.Event{At: at(ms), Kind: history.KindCounts, Counts: c}
}

// record is a run in which search learns too late, with a fault and a rollback.
func record() []history.Event {
	events := []history.Event{
		{At: at(0), Kind: history.KindPlan, Plan: json.RawMessage(`{"speed":60}`)},
		{At: at(1), Kind: history.KindService, Service: "auth", Detail: "issuer: refresh 500ms"},
		{At: at(2), Kind: history.KindCredential, Credential: "k1", Identifier: "0123456789abcdefghijklmnop"},
		{At: at(3), Kind: history.KindStep, Step: "accept", Credential: "k1"},
		{At: at(4), Kind: history.KindStep, Step: "emit", Credential: "k1"},
		{At: at(5), Kind: history.KindPublished, Service: "auth", Credentials: []string{"k1"}},
		{At: at(6), Kind: history.KindLearned, Service: "search", Credential: "k1"},
		{At: at(7), Kind: history.KindEmitting, Service: "auth", Credential: "k1"},
		{At: at(100), Kind: history.KindPhase, Phase: history.Baseline},
		counted(200, "search", "k1", 20, 0),
		{At: at(5100), Kind: history.KindPhase, Phase: history.Accept},
		{At: at(5110), Kind: history.KindCredential, Credential: "k2", Identifier: "kid-2"},
		{At: at(5120), Kind: history.KindStep, Step: "accept", Credential: "k2"},
		{At: at(5130), Kind: history.KindPhase, Phase: history.Verify},
		{At: at(5200), Kind: history.KindPublished, Service: "auth", Credentials: []string{"k2", "k1"}},
		{At: at(5300), Kind: history.KindFetched, Service: "checkout", Credentials: []string{"k1", "k2"}, Holds: []string{"k1", "k2"}},
		{At: at(5300), Kind: history.KindLearned, Service: "checkout", Credential: "k2"},
		{At: at(5350), Kind: history.KindRate, Service: "web", Rate: new(100.0)},
		{At: at(5360), Kind: history.KindRate, Service: "web", Rate: new(0.0)},
		{At: at(5400), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "search → auth", Stage: "injected"}},
		{At: at(5900), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "search → auth", Stage: "evidence", Took: true,
			Evidence: map[string]float64{"during.reads": 0, "before.reads": 4}}},
		{At: at(5950), Kind: history.KindFetchFailed, Service: "search", Detail: "connection refused"},
		{At: at(5960), Kind: history.KindFetchFailed, Service: "search", Detail: "connection refused"},
		{At: at(6000), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "search → auth", Stage: "undone"}},
		{At: at(10100), Kind: history.KindProbe, Service: "checkout", Credential: "k2", Probe: &history.Probe{Purpose: history.Canary, Outcome: history.OK, Status: "200"}},
		{At: at(10110), Kind: history.KindProbe, Service: "search", Credential: "k2", Probe: &history.Probe{Purpose: history.Canary, Outcome: history.AuthFailure, Status: "401", CausedFetch: true}},
		{At: at(10120), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Verify, Mode: "observe", Detail: "search has not taken k2", Consumer: "search"}},
		{At: at(10130), Kind: history.KindPhase, Phase: history.Emit},
		{At: at(10140), Kind: history.KindStep, Step: "emit", Credential: "k2"},
		{At: at(10400), Kind: history.KindEmitting, Service: "auth", Credential: "k2"},
	}
	for ms := int64(10400); ms < 11000; ms += 100 {
		events = append(events, counted(ms, "checkout", "k2", 15, 0), counted(ms, "search", "k2", 10, 10))
	}
	events = append(events,
		history.Event{At: at(11000), Kind: history.KindPhase, Phase: history.Overlap},
		history.Event{At: at(11010), Kind: history.KindSession, Service: "web", Count: 1, Detail: "token endpoint answered 503"},
		history.Event{At: at(11020), Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRecord, Trigger: history.TriggerBudget,
			Why: "40 % of attempts failed for 10s", Since: at(10420)}},
		history.Event{At: at(20030), Kind: history.KindLearned, Service: "search", Credential: "k2"},
	)
	for ms := int64(20100); ms < 21500; ms += 100 {
		events = append(events, counted(ms, "search", "k2", 10, 0))
	}
	return append(events,
		history.Event{At: at(22000), Kind: history.KindOperator, Detail: "asked to roll back"},
		history.Event{At: at(22010), Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRollBack, Trigger: history.TriggerOperator,
			Why: "the operator asked for it", Since: at(22000)}},
		history.Event{At: at(22020), Kind: history.KindPhase, Phase: history.Rollback},
		history.Event{At: at(22500), Kind: history.KindStep, Step: "withdraw", Credential: "k2"},
		history.Event{At: at(23000), Kind: history.KindForgot, Service: "checkout", Credential: "k2"},
		history.Event{At: at(23100), Kind: history.KindProbe, Service: "checkout", Credential: "k2", Probe: &history.Probe{Purpose: history.Withdrawn, Outcome: history.AuthFailure, Status: "401"}},
		history.Event{At: at(23200), Kind: history.KindExit, Service: "search", Detail: "exit status 2"},
		history.Event{At: at(23300), Kind: history.KindTrouble, Detail: "a log line was cut off"},
		history.Event{At: at(23400), Kind: history.KindEnd, Detail: history.EndedRolledBack},
		history.Event{At: at(23500), Kind: history.KindExit, Service: "auth", Detail: "terminated"},
		history.Event{At: at(23600), Kind: history.KindTotals, Totals: &history.Totals{Scheduled: 310, Sent: 313, Recorded: 313, Served: 313}},
		history.Event{At: at(23700), Kind: history.KindLeaks, Leaks: &history.Leaks{Searched: 1 << 20}},
	)
}

func play(t *testing.T, o Options, events []history.Event) string {
	t.Helper()
	var b bytes.Buffer
	c := New(&b, limits, o)
	for _, e := range events {
		c.Event(e)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestConsole(t *testing.T) {
	tests := []struct {
		file    string
		options Options
	}{
		{"plain.txt", Options{Baseline: 5 * time.Minute}},
		{"verbose.txt", Options{Verbose: true}},
		{"terminal.txt", Options{Terminal: true, Color: true, Width: 100, Baseline: 5 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) { golden(t, tt.file, play(t, tt.options, record())) })
	}
}

func TestPlainOutputSteersNoTerminal(t *testing.T) {
	hostile := []history.Event{
		{Kind: history.KindTrouble, Detail: "\x1b[2J\x07 two\nlines \u202e \u009b31m"},
		{Kind: history.KindGate, Gate: &history.Gate{Phase: "verify", Mode: "enforce", Detail: "\r\x1b]0;title\x07"}},
	}
	got := play(t, Options{Verbose: true}, hostile)
	for _, r := range got {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e') {
			t.Errorf("output has the control character %U, want none: %q", r, got)
		}
	}
	if lines := strings.Count(got, "\n"); lines != 2 {
		t.Errorf("got %d lines of 2 events, want 2: %q", lines, got)
	}
}

func TestStatusLineFitsTheTerminal(t *testing.T) {
	for _, width := range []int{0, 1, 20, 80} {
		got := play(t, Options{Terminal: true, Width: width}, record())
		most := width - 1
		if width == 0 {
			most = 79
		}
		for _, part := range strings.Split(got, eraseLine) {
			status, _, isLine := strings.Cut(part, "\n")
			if n := len([]rune(status)); !isLine && n > max(most, 1) {
				t.Errorf("width %d: the status line has %d columns, want at most %d: %q", width, n, most, status)
			}
		}
		if !strings.HasSuffix(got, "\n") && !strings.HasSuffix(got, eraseLine) {
			t.Errorf("width %d: a status line is left behind: %q", width, got[max(0, len(got)-80):])
		}
	}
}

func TestDropped(t *testing.T) {
	var b bytes.Buffer
	c := New(&b, limits, Options{})
	c.Event(history.Event{At: at(1200), Kind: history.KindPhase, Phase: history.Baseline})
	b.Reset()
	c.Dropped(1234)
	if got := b.String(); !strings.Contains(got, "00:01.2") || !strings.Contains(got, "1,234 events were not shown") {
		t.Errorf("got %q, want it to say when and how many", got)
	}
}

func TestNothingIsPrintedAfterClose(t *testing.T) {
	var b bytes.Buffer
	c := New(&b, limits, Options{Terminal: true})
	c.Event(history.Event{Kind: history.KindPhase, Phase: history.Baseline})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	c.Event(history.Event{Kind: history.KindPhase, Phase: history.Accept})
	c.Dropped(1)
	if err := c.Close(); err != nil || b.Len() > 0 {
		t.Errorf("got %q and error %v after Close, want nothing", b.String(), err)
	}
}

var errGone = errors.New("gone")

// goneWriter is a terminal that was closed.
type goneWriter struct{ calls int }

func (w *goneWriter) Write([]byte) (int, error) { w.calls++; return 0, errGone }

func TestWriteErrorIsKept(t *testing.T) {
	w := &goneWriter{}
	c := New(w, limits, Options{})
	for _, e := range record() {
		c.Event(e)
	}
	if err := c.Close(); !errors.Is(err, errGone) || w.calls != 1 {
		t.Errorf("got error %v after %d writes, want the writer's own after 1", err, w.calls)
	}
}

// Every kind of event may come without the part that it usually has.
func TestBareEvents(t *testing.T) {
	for _, kind := range []history.Kind{
		history.KindPlan, history.KindService, history.KindExit, history.KindPhase, history.KindCredential, history.KindStep, history.KindGate,
		history.KindDecision, history.KindFault, history.KindOperator, history.KindTotals, history.KindLeaks, history.KindTrouble, history.KindEnd,
		history.KindFetched, history.KindFetchFailed, history.KindLearned, history.KindForgot, history.KindLoaded, history.KindPublished,
		history.KindEmitting, history.KindLocked, history.KindUnlocked, history.KindRead, history.KindCounts, history.KindProbe, history.KindSession, "something new",
	} {
		play(t, Options{Verbose: true}, []history.Event{{Kind: kind}})
	}
}

// TestProbesAreLabelled: each answer of a validator to the harness says what it was asked for.
func TestProbesAreLabelled(t *testing.T) {
	for _, purpose := range []history.Purpose{history.Canary, history.Still, history.OldAfter, history.NewAfter, history.Withdrawn, history.Back, history.Restored} {
		for _, outcome := range []history.Outcome{history.OK, history.AuthFailure, history.Unavailable} {
			got := play(t, Options{}, []history.Event{{At: at(100), Kind: history.KindProbe, Service: "checkout", Credential: "k1", Probe: &history.Probe{Purpose: purpose, Outcome: outcome, Status: "200"}}})
			if !strings.Contains(got, ": checkout ") || strings.Contains(got, " : checkout ") {
				t.Errorf("%s, %s: got %q, want it to begin with what it is", purpose, outcome, got)
			}
		}
	}
}
