package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/reports"
)

// top is what stands above everything: the answer, the run, what is waited for,
// the track with the clock, and what the page plans against what is needed.
func (m *model) top(s *board.State) []string {
	lines := []string{m.answer(s), m.about(s)}
	if banner := m.banner(s); banner != "" {
		lines = append(lines, banner)
	}
	return append(lines, m.track(s), m.progress(s), m.needs(s))
}

// answer is the line for who looks for a second.
func (m *model) answer(s *board.State) string {
	a := s.Answer()
	return ofLevel(a.Level).Reverse(true).Bold(true).Render(" "+a.Word+" ") + " " + ofLevel(a.Level).Render(safe(a.Text))
}

// about is the run, its time and its error budget.
func (m *model) about(s *board.State) string {
	r := s.Run()
	name := r.Name
	if r.Limits.Simulated {
		name = strong.Render("SIMULATED") + " " + name
	}
	parts := []string{name, m.clock(s), budget(s, m.width >= 110), "gates " + r.Limits.Gates}
	if r.Limits.Speed != 1 {
		parts = append(parts, fmt.Sprintf("speed %g", r.Limits.Speed))
	}
	if n := s.Missing(); n > 0 {
		parts = append(parts, fmt.Sprintf("%s events not shown", reports.Count(n)))
	}
	return " " + join(parts, " · ", m.width-1)
}

// clock is this moment in wall time, and in page time where that is another: on hold
// the page's clock stands still.
func (m *model) clock(s *board.State) string {
	at := s.Now()
	text := board.Moment(at)
	began, has := s.View().PhaseStart[history.Baseline]
	page := (at - began - s.View().OnHold(began, at)).Duration() - m.held()
	if has && (s.Run().Limits.Speed != 1 || at-began != history.Offset(page)) {
		text += " (page " + reports.PageTime(s.Run().Limits.Speed, max(0, page).Round(time.Second)) + ")"
	}
	return text
}

// held is for how long a person is waited for now.
func (m *model) held() time.Duration {
	if operator := m.operator.state(); operator.asked != "" {
		return m.now().Sub(operator.since)
	}
	return 0
}

// budget is what is left of the error budget of who has least, and who that is.
func budget(s *board.State, who bool) string {
	var worst *board.Row
	for _, r := range s.Rows() {
		if s.Judged(r) && (worst == nil || s.Budget(r) > s.Budget(worst)) {
			worst = r
		}
	}
	switch {
	case worst == nil || worst.Attempts == 0:
		return "error budget –"
	case s.Budget(worst) > 1:
		text := "error budget spent " + times(s.Budget(worst))
		if who {
			text += " (" + pairName(s, worst) + ")"
		}
		return bad.Render(text)
	}
	return "error budget " + left(s, worst) + " left"
}

// left is what is left of a row's error budget.
func left(s *board.State, r *board.Row) string {
	spent := s.Budget(r)
	switch {
	case r.Attempts == 0:
		return "–"
	case spent > 1:
		return "spent " + times(spent)
	}
	return fmt.Sprintf("%.0f %%", 100*(1-spent))
}

// times is a multiple in two or three digits.
func times(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1f×", n)
	}
	return fmt.Sprintf("%.0f×", n)
}

// banner says what waits for a person, or what became of the rotation; empty
// where neither is so.
func (m *model) banner(s *board.State) string {
	operator := m.operator.state()
	switch {
	case s.Verdict() != nil:
		return ""
	case s.Ended() != "":
		if m.replay {
			return ""
		}
		return label.Render(" ENDED ") + " the rotation is " + s.Ended() + ": reading the last logs, cleaning up, judging"
	case operator.says != "":
		return label.Render(" ON HOLD ") + fmt.Sprintf(" the gate before the revoke says no: %s revokes, %s waits, %s rolls back",
			strong.Render("y"), strong.Render("n"), strong.Render("r"))
	case operator.asked == history.Revoke:
		return label.Render(" ON HOLD ") + fmt.Sprintf(" %s before the revoke of %s: %s approves it, %s rolls back",
			waited(m.now().Sub(operator.since)), s.Old(), strong.Render("y"), strong.Render("r"))
	case operator.asked != "":
		return label.Render(" ON HOLD ") + fmt.Sprintf(" %s before %s: %s goes on, %s rolls back",
			waited(m.now().Sub(operator.since)), operator.asked, strong.Render("g"), strong.Render("r"))
	case s.TurnedBack() != nil:
		return label.Render(" ROLLING BACK ") + " " + safe(s.TurnedBack().Why)
	case operator.hold && s.Phase() != "":
		return label.Render(" HOLD ") + " stops before the next phase"
	}
	return ""
}

func waited(d time.Duration) string { return plan.Text(max(d, 0).Truncate(time.Second)) }

// track is the phases in their order: signs and capitals tell where the run is.
func (m *model) track(s *board.State) string {
	var parts []string
	for _, stage := range s.Track() {
		name := string(stage.Phase)
		switch stage.State {
		case board.Done:
			parts = append(parts, good.Render("✓")+" "+name)
		case board.UnderWay:
			parts = append(parts, strong.Render("▶ "+strings.ToUpper(name)))
		case board.Cut:
			parts = append(parts, warned.Render("↩ "+name))
		default:
			parts = append(parts, dim.Render("· "+name))
		}
	}
	gap := "  "
	if ansi.StringWidth(strings.Join(parts, gap)) > m.width-1 {
		gap = " "
	}
	return " " + strings.Join(parts, gap)
}

// progress is how far the phase is: a bar of what is planned, with a mark where
// the slowest party has what it needs, and the times.
func (m *model) progress(s *board.State) string {
	c := s.Clock()
	c.Elapsed = max(0, c.Elapsed-m.held())
	switch {
	case s.Ended() != "":
		return " rotation " + s.Ended()
	case s.Phase() == "":
		return ""
	case c.Length == 0:
		return fmt.Sprintf(" %s for %s%s", s.Phase(), plan.Text(c.Elapsed.Round(100*time.Millisecond)), rest(c))
	}
	speed := s.Run().Limits.Speed
	text := fmt.Sprintf(" %s of %s · %s left%s", reports.PageTime(speed, min(c.Elapsed, c.Length).Truncate(time.Second)),
		reports.PageTime(speed, c.Length), seconds(c.Left()), rest(c))
	if over := c.Elapsed - c.Length; over > time.Second {
		text = fmt.Sprintf(" %s planned, %s over%s", reports.PageTime(speed, c.Length), seconds(over), rest(c))
	}
	columns := min(60, m.width-2-ansi.StringWidth(text))
	return " " + phaseBar(c, s.Need(s.Phase()), s.Run().Limits, columns) + text
}

func seconds(d time.Duration) string { return plan.Text(d.Round(time.Second)) }

// rest is what is left of the run.
func rest(c board.Clock) string {
	if c.All <= c.Left() {
		return ""
	}
	return fmt.Sprintf(" · %s to the end", seconds(c.All))
}

// phaseBar is a bar of a phase. Where its length is bounded, ▲ is where the
// bound is: beyond the end of the bar, what is planned is not enough.
func phaseBar(c board.Clock, need board.Need, l plan.Limits, columns int) string {
	if columns < 5 {
		return ""
	}
	if need.Needed == 0 || need.Needed == runbook.Forever {
		return bar(float64(c.Elapsed)/float64(c.Length), columns)
	}
	needed := l.Wall(need.Needed)
	all := max(c.Length, needed)
	planned := max(1, int(float64(columns)*float64(c.Length)/float64(all)))
	mark := min(columns-1, int(float64(columns)*float64(needed)/float64(all)))
	cells := []rune(bar(min(1, float64(c.Elapsed)/float64(c.Length)), planned) + strings.Repeat("·", columns-planned))
	style := good
	if need.Short() {
		style = bad
	}
	return string(cells[:mark]) + style.Render("▲") + string(cells[mark+1:])
}

// needs is what the page plans against what the parties need, for the lead, the
// window and the watch.
func (m *model) needs(s *board.State) string {
	var parts []string
	for _, n := range s.Needs() {
		if n.Short() {
			parts = append(parts, bad.Render("✗ "+n.Text()))
		} else {
			parts = append(parts, good.Render("✓")+" "+n.Text())
		}
	}
	return " " + join(parts, "  ", m.width-1)
}
