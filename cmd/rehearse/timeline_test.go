package main

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestTimeline draws the phases that a bound asks a length of.
func TestTimeline(t *testing.T) {
	for _, tt := range []struct {
		scenario               string
		verify, overlap, watch string
	}{
		{"healthy", "███████", "██████", strings.Repeat("█", 24)},
		{"stale-cache", "██░░░░░", "████████", strings.Repeat("█", 27)},
		{"revoked-key-accepted", "██████████│█", "███████████", "█████████████→"},
		{"flag-day", "╵" + strings.Repeat("░", 18), "╵" + strings.Repeat("░", 33), "██████████████████│███"},
	} {
		t.Run(tt.scenario, func(t *testing.T) {
			p, err := planOf("jwt-signing-key/"+tt.scenario, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			stretches := p.Timeline()
			drawn := timelineOf(p, stretches)
			for _, s := range stretches {
				want, bounded := map[string]string{"verify": tt.verify, "overlap": tt.overlap, "watch": tt.watch}[string(s.Phase)]
				if got := strings.TrimLeft(drawn.row(s), " "); bounded && got != want {
					t.Errorf("%s is drawn %s, want %s", s.Phase, got, want)
				}
				if width := len([]rune(drawn.row(s))); width > timelineWidth+1 {
					t.Errorf("%s is %d characters wide, want at most %d", s.Phase, width, timelineWidth+1)
				}
			}
		})
	}
}
