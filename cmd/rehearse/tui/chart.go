package tui

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
)

// The charts of all judged pairs together, where a screen has rows to spare.
const (
	leastCharts = 22 // rows below the table from which on they are drawn
	chartRows   = 8  // of a chart with its frame and its ruler
	axisColumns = 6
)

// eighths fill a cell from below.
var eighths = []rune(" ▁▂▃▄▅▆▇█")

// charts are how much is refused over time, and how the new credential takes the
// place of the old one, beside each other.
func (m *model) charts(s *board.State) []string {
	leftColumns := m.width / 2
	return beside(m.refusedChart(s, leftColumns), m.shareChart(s, m.width-leftColumns), chartRows)
}

// refusedChart is the share of attempts that is refused, on a scale that ends above
// the worst of it.
func (m *model) refusedChart(s *board.State, columns int) []string {
	from, to := span(s)
	slots := s.Columns(from, to, columns-2-axisColumns)
	worst := 0.0
	for _, c := range slots {
		worst = max(worst, refusedShare(c))
	}
	top := scale(worst)
	rows := chartRows - 3
	lines := make([]string, 0, rows+1)
	for row := rows - 1; row >= 0; row-- {
		var b strings.Builder
		for _, c := range slots {
			b.WriteRune(filled(refusedShare(c)/top*float64(rows)-float64(row), c.AuthFailures > 0 && row == 0))
		}
		lines = append(lines, axis(row, rows, top)+bad.Render(b.String()))
	}
	lines = append(lines, axis(-1, rows, top)+dim.Render(ruler(s, from, to, len(slots))))
	return panel("refused, of all attempts", lines, columns, chartRows)
}

// shareChart is the share of attempts that presents the new credential, full, over
// the share of the old one, hatched.
func (m *model) shareChart(s *board.State, columns int) []string {
	from, to := span(s)
	slots := s.Columns(from, to, columns-2-axisColumns)
	rows := chartRows - 3
	lines := make([]string, 0, rows+1)
	for row := rows - 1; row >= 0; row-- {
		var b strings.Builder
		for _, c := range slots {
			b.WriteRune(shareMark(c, row, rows))
		}
		lines = append(lines, axis(row, rows, 1)+b.String())
	}
	lines = append(lines, axis(-1, rows, 1)+dim.Render(ruler(s, from, to, len(slots))))
	name := "░ " + s.Old()
	if s.New() != "" {
		name = fmt.Sprintf("░ %s gives way to █ %s", s.Old(), s.New())
	}
	return panel(name, lines, columns, chartRows)
}

// shareMark is a cell of a column: the new one from below, the old one above it.
func shareMark(c board.Slot, row, rows int) rune {
	switch {
	case c.Attempts == 0:
		return ' '
	case float64(c.New)/float64(c.Attempts)*float64(rows)-float64(row) >= 0.5:
		return '█'
	case c.New > 0 && row == 0: // some is not none
		return '▄'
	}
	return '░'
}

func refusedShare(c board.Slot) float64 {
	if c.Attempts == 0 {
		return 0
	}
	return float64(c.AuthFailures) / float64(c.Attempts)
}

// filled is a cell that is filled to a share; some of it at least where it must be seen.
func filled(share float64, seen bool) rune {
	i := int(min(max(share, 0), 1) * float64(len(eighths)-1))
	if seen && i == 0 {
		i = 1
	}
	return eighths[i]
}

// scale is a round share at or above the worst.
func scale(worst float64) float64 {
	for _, top := range []float64{0.01, 0.05, 0.1, 0.25, 0.5} {
		if worst <= top {
			return top
		}
	}
	return 1
}

// axis labels the rows of a chart: its top, its bottom, and nothing between.
func axis(row, rows int, top float64) string {
	switch row {
	case rows - 1:
		return dim.Render(right(fmt.Sprintf("%.4g %%", 100*top), axisColumns-1) + " ")
	case 0:
		return dim.Render(right("0", axisColumns-1) + " ")
	}
	return strings.Repeat(" ", axisColumns)
}
