package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestText(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "250ms": 250 * time.Millisecond, "6.7s": 6667 * time.Millisecond,
		"14m50s": 14*time.Minute + 50*time.Second, "15m": 15 * time.Minute, "1h": time.Hour,
		"1h0m5s": time.Hour + 5*time.Second, "10m": 10*time.Minute + 300*time.Millisecond,
		"24h": 24 * time.Hour, "no bound": runbook.Forever, "-5m": -5 * time.Minute,
	} {
		if got := Text(d); got != want {
			t.Errorf("Text(%v) = %q, want %q", d, got, want)
		}
	}
}
