package tui

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestEvidence(t *testing.T) {
	for _, tt := range []struct {
		measured map[string]float64
		want     string
	}{
		{nil, ""},
		{map[string]float64{"before_asked": 3, "before_answered": 3, "during_asked": 3}, "3 of 3 answered before, 0 of 3 answered during"},
		{map[string]float64{"during_asked": 1, "during_answered": 1, history.BackAfter: 51.4}, "1 of 1 answered during, again after 51ms"},
		{map[string]float64{"reads": 4, "before_asked": 1}, "0 of 1 answered before, reads 4"},
	} {
		if got := evidence(tt.measured); got != tt.want {
			t.Errorf("of %v: got %q, want %q", tt.measured, got, tt.want)
		}
	}
}
