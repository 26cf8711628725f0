package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestAnswered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		taken, refused int
		silent         int
		usual          int64 // refused of 1000 in the baseline
		want           Answer
	}{
		{"nobody asked", 0, 0, 0, 0, Unasked},
		{"a time-out is no refusal", 0, 0, 1, 0, Silent},
		{"taken by all", 25, 0, 1, 0, Takes},
		{"refused by one replica of three", 17, 8, 0, 0, Refuses},
		{"refused once, and by nobody else", 74, 1, 0, 0, Doubtful},
		{"refused as often as before", 24, 1, 0, 10, Takes},
		{"refused more often than before", 17, 8, 0, 10, Refuses},
		{"asked once, and refused", 0, 1, 0, 0, Refuses},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := history.NewView()
			v.Apply(history.Event{Kind: history.KindPhase, Phase: history.Baseline})
			v.Apply(history.Event{At: 1, Kind: history.KindCounts, Counts: &history.Counts{
				Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Width: 1, Attempts: 1000, OK: 1000 - tt.usual, AuthFailures: tt.usual,
			}})
			v.Apply(history.Event{At: 2, Kind: history.KindPhase, Phase: history.Accept})
			say := func(n int, outcome history.Outcome) {
				for range n {
					v.Apply(history.Event{At: history.Offset(time.Second), Kind: history.KindProbe, Service: "search", Credential: "k2",
						Probe: &history.Probe{Purpose: history.Canary, Outcome: outcome}})
				}
			}
			say(tt.taken, history.OK)
			say(tt.refused, history.AuthFailure)
			say(tt.silent, history.Unavailable)
			l := Limits{JudgedAt: history.FromLoad}
			if got, _ := l.Answered(v, "search", "k2", history.Canary); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestOneAloneIsAskedOnce: in virtual time it is known how many answer for a name. One that is alone
// says the same each time; an authority counts what it refuses, and is asked as it is for real.
func TestOneAloneIsAskedOnce(t *testing.T) {
	for _, tt := range []struct {
		v    Validator
		want int64
	}{{Validator{}, inARow}, {Validator{Alone: true}, 1}, {Validator{Authority: true}, inARowAtAuthority}} {
		if got := tt.v.InARow(); got != tt.want {
			t.Errorf("%+v: got %d answers, want %d", tt.v, got, tt.want)
		}
	}
}
