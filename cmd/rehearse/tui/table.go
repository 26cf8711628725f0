package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports"
)

// The columns of the table beside the name and the sparkline.
const (
	markColumns   = 4 // cursor and sign
	nowColumns    = 11
	rateColumns   = 7
	p99Columns    = 8
	shareColumns  = 18
	totalColumns  = 10
	budgetColumns = 13
	codeColumns   = 26
	leastSpark    = 11
)

// widths are how a table's columns share a screen.
type widths struct {
	name, spark                  int
	showTotal, showBudget, codes bool
}

func widthsFor(columns, longest int) widths {
	w := widths{showTotal: columns >= 100, showBudget: columns >= 115, codes: columns >= 160}
	left := columns - markColumns - nowColumns - rateColumns - p99Columns - shareColumns - 2
	for _, extra := range []struct {
		shown   bool
		columns int
	}{{w.showTotal, totalColumns}, {w.showBudget, budgetColumns}, {w.codes, codeColumns}} {
		if extra.shown {
			left -= extra.columns
		}
	}
	w.name = min(max(longest, 10), max(10, left-leastSpark-1), 36)
	w.spark = max(0, left-w.name-1)
	return w
}

// table is one line for each pair, under a head that names the phases above the
// sparklines. What does not fit is counted in the last line.
func (m *model) table(s *board.State, height int) []string {
	rows := s.Rows()
	longest := 0
	for _, r := range rows {
		longest = max(longest, ansi.StringWidth(pairName(s, r)))
	}
	w := widthsFor(m.width, longest)
	from, to := span(s)
	head := fit("", markColumns) + fit("who → whom", w.name) + " " + fit("refused", nowColumns) + dim.Render(ruler(s, from, to, w.spark)) +
		right("req/s", rateColumns) + right("p99", p99Columns) + "  " + fit(shareHead(s), shareColumns)
	if w.showTotal {
		head += right("in all", totalColumns)
	}
	if w.showBudget {
		head += right("budget left", budgetColumns)
	}
	if w.codes {
		head += "  " + fit("codes", codeColumns-2)
	}
	lines := []string{dim.Render(head)}
	first := m.scrollTo(rows, height-1)
	for i, r := range rows {
		if i < first {
			continue
		}
		if len(lines) == height-1 && i < len(rows)-1 {
			lines = append(lines, dim.Render(fmt.Sprintf("    %d more: ↓", len(rows)-i)))
			break
		}
		if len(lines) >= height {
			break
		}
		lines = append(lines, m.tableRow(s, r, w, r.Series.Columns(from, to, w.spark)))
	}
	return lines
}

// scrollTo is the first row that is shown, so that the one under the cursor is.
func (m *model) scrollTo(rows []*board.Row, height int) int {
	i := slices.IndexFunc(rows, func(r *board.Row) bool { return r.Pair == m.cursor })
	if i < height-1 || height < 2 {
		return 0
	}
	return min(i-height+2, max(0, len(rows)-height))
}

func shareHead(s *board.State) string {
	if s.New() == "" {
		return "credential"
	}
	return s.Old() + " gives way to " + s.New()
}

// pairName is who presents to whom; what is not judged says so.
func pairName(s *board.State, r *board.Row) string {
	name := safe(r.Presenter + " → " + r.Validator)
	if !s.Judged(r) {
		name += " (" + string(r.Source) + ")"
	}
	return name
}

func (m *model) tableRow(s *board.State, r *board.Row, w widths, columns []board.Slot) string {
	now := s.RowNow(r)
	sign, style, text := state(r, now)
	cursor := " "
	if r.Pair == m.cursor {
		cursor = "▸"
	}
	line := cursor + " " + style.Render(sign) + " "
	name := fit(pairName(s, r), w.name)
	if r.Pair == m.cursor {
		name = strong.Render(name)
	}
	line += name + " " + style.Render(fit(text, nowColumns)) + sparkline(columns) +
		right(rate(now.Rate), rateColumns) + right(latency(now.P99), p99Columns) + "  " + fit(share(s, now), shareColumns)
	if w.showTotal {
		line += right(reports.Count(r.AuthFailures), totalColumns)
	}
	if w.showBudget {
		budget := "–"
		if s.Judged(r) {
			budget = left(s, r)
		}
		line += right(budget, budgetColumns)
	}
	if w.codes {
		line += "  " + fit(codes(r.Statuses), codeColumns-2)
	}
	return line
}

// state is how a row fares: a sign, and the share of attempts that is refused now.
func state(r *board.Row, now board.Figures) (sign string, style lipgloss.Style, text string) {
	switch {
	case now.Silent:
		return "!", warned, "no answer"
	case now.Attempts == 0:
		return "·", dim, "no load"
	case now.AuthFailures > 0:
		return "✗", bad, reports.Share(now.AuthFailures, now.Attempts)
	case now.Unavailable > 0:
		return "!", warned, "down " + percent(now.Unavailable, now.Attempts)
	case r.AuthFailures > 0:
		return "~", warned, "0 % again"
	}
	return "✓", good, "0 %"
}

func rate(n float64) string {
	if n >= 100 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return strconv.FormatFloat(n, 'f', 1, 64)
}

func latency(d time.Duration) string {
	switch ms := float64(d.Microseconds()) / 1000; {
	case d == 0:
		return "–"
	case ms < 0.1:
		return "<0.1ms"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + "ms"
	case ms < 10000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + "ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 0, 64) + "s"
	}
}

// share is how much of the traffic has the new credential, or which it has
// while there is one only.
func share(s *board.State, now board.Figures) string {
	var named int64
	for name, n := range now.Shares {
		if name != "" {
			named += n
		}
	}
	fresh := s.New()
	switch {
	case named == 0:
		return "–"
	case fresh == "":
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(now.Shares)) {
			parts = append(parts, safe(name)+" "+percent(now.Shares[name], named))
		}
		return strings.Join(parts, " ")
	}
	return fresh + " " + bar(float64(now.Shares[fresh])/float64(named), 8) + right(percent(now.Shares[fresh], named), 6)
}

// percent is a share in whole percent; it says 0 and 100 only where that is exact.
func percent(part, whole int64) string {
	p := int64(100 * float64(part) / float64(whole))
	if part > 0 && p == 0 {
		return "<1 %"
	}
	return fmt.Sprintf("%d %%", p)
}

// codes are the answers that were no success, the most frequent first; of
// success alone, how often.
func codes(statuses map[string]int64) string {
	if text := reports.Refusals(statuses); text != "–" {
		return safe(text)
	}
	names := slices.SortedFunc(maps.Keys(statuses), func(a, b string) int { return cmp.Compare(statuses[b], statuses[a]) })
	if len(names) == 0 {
		return "–"
	}
	return safe(names[0]) + " × " + reports.Count(statuses[names[0]])
}

// allCodes are all answers by their numbers.
func allCodes(statuses map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(statuses), func(a, b string) int {
		return cmp.Or(cmp.Compare(statuses[b], statuses[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = safe(name) + " × " + reports.Count(statuses[name])
	}
	return strings.Join(parts, ", ")
}

// oldFirst sorts credentials: the old one, the new one, then others.
func oldFirst(s *board.State, names []string) []string {
	rank := func(name string) int {
		switch name {
		case s.Old():
			return 0
		case s.New():
			return 1
		}
		return 2
	}
	return slices.SortedFunc(slices.Values(names), func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
}

// since is how long ago something was, in page time.
func since(s *board.State, at history.Offset) string {
	return reports.PageTime(s.Run().Limits.Speed, (s.Now() - at).Duration().Round(time.Second))
}
