package scenario

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestMoment(t *testing.T) {
	for text, want := range map[string]Moment{
		"emit":         {Phase: "emit"},
		"accept+10s":   {"accept", runbook.Duration(10 * time.Second)},
		"watch+1h30m":  {"watch", runbook.Duration(90 * time.Minute)},
		"baseline+1d":  {"baseline", runbook.Duration(24 * time.Hour)},
		"overlap+90ms": {"overlap", runbook.Duration(90 * time.Millisecond)},
	} {
		t.Run(text, func(t *testing.T) {
			var got Moment
			if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
				t.Fatalf("got %v, %v, want %v", got, err, want)
			}
			if got.String() != text {
				t.Errorf("written as %q, want %q", got, text)
			}
			roundTrip(t, got)
		})
	}
}

func TestMomentRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"acept+10s":    `"acept+10s" begins with no phase (did you mean "accept"?)`,
		"10s":          `"10s" begins with no phase (one of accept, baseline, emit, overlap, revoke, verify, watch)`,
		"emit+":        `"" is not a duration (write it as 30s, 10m, 1h30m or 90d)`,
		"emit+5":       `"5" is a duration without a unit (write it as 30s, 10m, 1h30m or 90d)`,
		"emit+-5s":     `"-5s" is a negative duration (write it as 30s, 10m, 1h30m or 90d)`,
		"rollback+10s": `"rollback+10s" begins with no phase (one of accept, baseline, emit, overlap, revoke, verify, watch)`,
	} {
		t.Run(text, func(t *testing.T) {
			var got Moment
			if err := got.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
		})
	}
}
