package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestFailingCells(t *testing.T) {
	overload := counted(0, "search", "k2", 5, 0)
	overload.Counts.Unavailable, overload.Counts.Statuses = 5, map[string]int64{"503": 3, "refused": 2}
	probe := counted(0, "search", "k2", 1, 1)
	probe.Counts.Source = history.FromProbe
	tests := []struct {
		name   string
		events []history.Event
		want   []string
	}{
		{"told once, with its exact moment", []history.Event{counted(500, "search", "k2", 5, 1), counted(600, "search", "k2", 5, 5)},
			[]string{"00:00.5  ✗ web → search with k2: first auth failure in the start (401)"}},
		{"recovered after a calm second", []history.Event{
			counted(500, "search", "k2", 5, 5), counted(600, "search", "k2", 5, 0), counted(1500, "search", "k2", 5, 0), counted(1700, "search", "k2", 5, 0),
		}, []string{
			"00:00.5  ✗ web → search with k2: first auth failure in the start (401)",
			"00:01.7  ✓ web → search with k2 is served again, after 5 auth failures in 4.2s (70ms)",
		}},
		{"no attempts are no recovery", []history.Event{counted(500, "search", "k2", 5, 5), counted(9000, "search", "k2", 0, 0)},
			[]string{"00:00.5  ✗ web → search with k2: first auth failure in the start (401)"}},
		{"another episode", []history.Event{counted(0, "search", "k2", 5, 5), counted(2000, "search", "k2", 5, 0), counted(3000, "search", "k2", 5, 1)},
			[]string{
				"00:00.0  ✗ web → search with k2: first auth failure in the start (401)",
				"00:02.0  ✓ web → search with k2 is served again, after 5 auth failures in 4.2s (70ms)",
				"00:03.0  ✗ web → search with k2: another auth failure in the start (401)",
			}},
		{"without service", []history.Event{overload}, []string{"00:00.0  ✗ web → search with k2: first attempt without service in the start (503 × 3, connection refused × 2)"}},
		{"probes do not count", []history.Event{probe}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSuffix(play(t, Options{}, tt.events), "\n")
			if want := strings.Join(tt.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestFailuresDoNotFloodTheConsole(t *testing.T) {
	var events []history.Event
	for i := range int64(100) { // one cell that fails and recovers, for ever
		events = append(events, counted(3000*i, "search", "k2", 5, 1), counted(3000*i+2000, "search", "k2", 5, 0))
	}
	if lines := strings.Count(play(t, Options{}, events), "\n"); lines != 2*maxEpisodes {
		t.Errorf("a cell that flaps makes %d lines, want %d", lines, 2*maxEpisodes)
	}
	events = nil
	for i := range 100 {
		events = append(events, counted(0, fmt.Sprintf("replica-%d", i), "k2", 5, 1))
	}
	if lines := strings.Count(play(t, Options{}, events), "\n"); lines != maxCells+1 {
		t.Errorf("100 failing cells make %d lines, want %d", lines, maxCells+1)
	}
}
