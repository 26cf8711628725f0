package reports

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestPageAndWall(t *testing.T) {
	tests := []struct {
		speed float64
		wall  time.Duration
		want  string
	}{
		{60, 14833 * time.Millisecond, "14m50s (14.8s)"},
		{1, 15 * time.Minute, "15m"},
		{0, 15 * time.Minute, "15m"},
		{60, 0, "0s (0s)"},
	}
	for _, tt := range tests {
		if got := PageAndWall(tt.speed, tt.wall); got != tt.want {
			t.Errorf("PageAndWall(%g, %v) = %q, want %q", tt.speed, tt.wall, got, tt.want)
		}
	}
}

// TestClock: page time counts from the baseline, so that services that take long
// to start do not move what the page plans; wall time counts from the start.
func TestClock(t *testing.T) {
	phases := []judge.PhaseSpan{{Name: history.Baseline, StartMS: 80_000, EndMS: 85_000}, {Name: history.Accept, StartMS: 85_000, EndMS: 85_000}}
	held := []judge.OperatorAction{{AtMS: 70_000, WaitedMS: 5000, Did: "went on to baseline"}, {AtMS: 113_000, WaitedMS: 30_000, Did: "went on to accept"}}
	for _, tt := range []struct {
		name         string
		clock        Clock
		at           time.Duration
		page, moment string
	}{
		{"the baseline begins", NewClock(60, judge.Verdict{Phases: phases}), 80 * time.Second, "0s", "0s (1m20s)"},
		{"five minutes later", NewClock(60, judge.Verdict{Phases: phases}), 85 * time.Second, "5m", "5m (1m25s)"},
		{"after 30 s on hold", NewClock(60, judge.Verdict{Phases: phases, Operator: held}), 115 * time.Second, "5m", "5m (1m55s)"},
		{"on hold", NewClock(60, judge.Verdict{Phases: phases, Operator: held}), 90 * time.Second, "3m", "3m (1m30s)"},
		{"while services start", NewClock(60, judge.Verdict{Phases: phases}), 3 * time.Second, "the start", "the start (3s)"},
		{"no phase", NewClock(60, judge.Verdict{}), 3 * time.Second, "3m", "3m (3s)"},
		{"as fast as the page", NewClock(1, judge.Verdict{Phases: phases}), 85 * time.Second, "1m25s", "1m25s"},
		{"a speed that is none", NewClock(0, judge.Verdict{Phases: phases}), 85 * time.Second, "1m25s", "1m25s"},
	} {
		at := history.Offset(tt.at)
		if page, moment := tt.clock.Page(at), tt.clock.Moment(at); page != tt.page || moment != tt.moment {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, page, moment, tt.page, tt.moment)
		}
	}
}

// TestTicksOfAClockThatStoodStill: page time on an axis leaves a gap where a rotation
// waited for a person.
func TestTicksOfAClockThatStoodStill(t *testing.T) {
	t.Parallel()
	at := func(seconds int) history.Offset { return history.Offset(seconds) * history.Offset(time.Second) }
	clock := Clock{Speed: 60, Zero: at(10), Held: []history.Gap{{From: at(5), To: at(8)}, {From: at(13), To: at(43)}}}
	var got []string
	for _, tick := range ticks(clock, at(10), at(46), 8) {
		got = append(got, fmt.Sprintf("%s at %g", tick.Label, tick.At))
	}
	want := []string{"0s at 10", "1m at 11", "2m at 12", "3m at 13", "4m at 44", "5m at 45", "6m at 46"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
