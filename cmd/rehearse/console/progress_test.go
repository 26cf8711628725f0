package console

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestTimeLeft(t *testing.T) {
	tests := []struct {
		phase      history.Phase
		baseline   time.Duration
		passed     time.Duration
		phaseLeft  time.Duration
		runLeft    time.Duration
		wantsKnown bool
	}{
		{history.Baseline, 5 * time.Minute, 2 * time.Second, 3 * time.Second, 73500 * time.Millisecond, true},
		{history.Baseline, 0, 2 * time.Second, 0, 0, false},
		{history.Verify, 0, 2 * time.Second, 3 * time.Second, 68500 * time.Millisecond, true},
		{history.Overlap, 0, 15 * time.Second, 30 * time.Second, 50 * time.Second, true},
		{history.Watch, 0, time.Hour, 0, 0, true},
		{history.Rollback, 0, time.Second, 0, 0, false},
	}
	for _, tt := range tests {
		p := progress{baseline: tt.baseline, phase: tt.phase, now: history.Offset(tt.passed)}
		phase, all, known := p.left(limits)
		if known != tt.wantsKnown || known && (phase != tt.phaseLeft || all != tt.runLeft) {
			t.Errorf("%s after %v: got %v, %v in all, known %t; want %v, %v, %t", tt.phase, tt.passed, phase, all, known, tt.phaseLeft, tt.runLeft, tt.wantsKnown)
		}
	}
}

func TestProgressTellsOfTheLastSecondOnly(t *testing.T) {
	var p progress
	for ms := int64(0); ms <= 60_000; ms += 100 {
		e := counted(ms, "search", "k2", 10, 1)
		p.add(e.At, e.Counts, "k2")
	}
	if p.attempts != 6010 || len(p.samples) != 10 {
		t.Errorf("got %d attempts and %d samples, want 6010 and the 10 of the last second", p.attempts, len(p.samples))
	}
}

func TestPlainProgressComesEveryTenSeconds(t *testing.T) {
	events := []history.Event{
		{Kind: history.KindCredential, Credential: "k1"}, {Kind: history.KindCredential, Credential: "k2"},
		{At: at(0), Kind: history.KindPhase, Phase: history.Overlap},
	}
	for ms := int64(0); ms <= 30_000; ms += 100 {
		events = append(events, counted(ms, "search", "k1", 5, 0), counted(ms, "search", "k2", 15, 0))
	}
	var lines []string
	for line := range strings.Lines(play(t, Options{}, events)) {
		if strings.Contains(line, " left, ") {
			lines = append(lines, line)
		}
	}
	want := "00:10.0  · overlap, 35s left, 55s to the end · 2,005 attempts · 0 auth failures/s · k2 73.0 %\n"
	if len(lines) != 3 || lines[0] != want {
		t.Errorf("got %q, want 3 lines that begin with %q", lines, want)
	}
}

func TestProgressSaysThatNothingComesIn(t *testing.T) {
	events := []history.Event{
		{Kind: history.KindPhase, Phase: history.Overlap}, counted(0, "search", "k1", 5, 5),
		{At: at(12_000), Kind: history.KindPublished, Service: "auth"},
	}
	if got := play(t, Options{}, events); !strings.Contains(got, "5 attempts · none in the last second\n") {
		t.Errorf("got %q, want it to say that there were no attempts lately", got)
	}
}
