package tui

import (
	"strings"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// The marks of a column of a sparkline. What is flat is a line at the bottom,
// whatever is not stands out of it, with the share on a linear scale.
const (
	flatMark = '▁'
	downMark = 'x' // mostly no answer
	noneMark = ' ' // no attempts
)

var steps = []rune("▂▃▄▅▆▇█")

// sparkline draws columns of a series: flat parts plain, what is not flat in
// the colour of a failure.
func sparkline(columns []board.Slot) string {
	var b strings.Builder
	var run []rune // of columns of one style
	failing := false
	flush := func() {
		if failing {
			b.WriteString(bad.Render(string(run)))
		} else {
			b.WriteString(string(run))
		}
		run = run[:0]
	}
	for _, c := range columns {
		mark, fails := markOf(c)
		if fails != failing {
			flush()
			failing = fails
		}
		run = append(run, mark)
	}
	flush()
	return b.String()
}

func markOf(c board.Slot) (mark rune, fails bool) {
	switch {
	case c.Attempts == 0:
		return noneMark, false
	case 2*c.Unavailable > c.Attempts:
		return downMark, true
	case c.AuthFailures == 0:
		return flatMark, false
	}
	share := float64(c.AuthFailures) / float64(c.Attempts)
	return steps[min(int(share*float64(len(steps))), len(steps)-1)], true
}

// initials are what phases are called above a sparkline.
var initials = map[history.Phase]rune{
	history.Baseline: 'B', history.Accept: 'A', history.Verify: 'V', history.Emit: 'E',
	history.Overlap: 'O', history.Revoke: 'R', history.Watch: 'W', history.Rollback: '↩',
}

// ruler names the phases above a sparkline, each where it began. Phases that
// only act share a column with the next, which then moves to the right.
func ruler(s *board.State, from, to history.Offset, n int) string {
	line := []rune(strings.Repeat("─", max(n, 0)))
	if to <= from {
		return string(line)
	}
	next := 0
	for _, p := range append(history.Phases(), history.Rollback) {
		start, began := s.View().PhaseStart[p]
		if !began {
			continue
		}
		i := max(next, int((start-from)*history.Offset(n)/(to-from)))
		if i >= len(line) {
			break
		}
		line[i], next = initials[p], i+1
	}
	return string(line)
}

// span is what sparklines show: from the baseline to the end that is planned,
// or to where the run is when that is later.
func span(s *board.State) (from, to history.Offset) {
	from = s.View().PhaseStart[history.Baseline]
	to = s.Now()
	if s.Ended() == "" {
		to += history.Offset(s.Clock().All)
	}
	return from, max(to, from+1)
}
