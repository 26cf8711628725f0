package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestStretches: a chart tells its figures in words, by stretches of the same time in
// every chart, and leaves out those without attempts.
func TestStretches(t *testing.T) {
	t.Parallel()
	second := history.Offset(time.Second)
	m := &Model{Speed: 1, Timeline: &Timeline{Start: 10 * second, Width: second, Whole: Track{Points: make([]Point, 2*mostStretches)}}}
	points := make([]Point, 2*mostStretches)
	points[0] = Point{Attempts: 3, Credentials: map[string]int64{"k1": 3}}
	points[1] = Point{Attempts: 1, AuthFailures: 1, Credentials: map[string]int64{"k2": 1}}
	points[5] = Point{Attempts: 2, Unavailable: 1, Credentials: map[string]int64{"": 2}}
	var got []string
	for _, s := range m.stretches(points) {
		got = append(got, fmt.Sprintf("t%d %g–%g %s", s.Index, s.From, s.To, s.Text))
	}
	want := []string{
		"t0 10–12 10s to 12s: 1 of 4 attempts refused, k1 75.0 %, k2 25.0 %",
		"t2 14–16 14s to 16s: 0 of 2 attempts refused, 1 without an answer",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPointingKnowsEveryStretch: there is a rule for each index that a chart can have.
func TestPointingKnowsEveryStretch(t *testing.T) {
	t.Parallel()
	sheet := pointing()
	for i := range mostStretches {
		if rule := fmt.Sprintf("main:has(.t%d:hover) .t%d{", i, i); !strings.Contains(sheet, rule) {
			t.Errorf("no rule %s", rule)
		}
	}
}
