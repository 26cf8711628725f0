package tui

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/reports"
)

// conclusion is what a run came to; a wide screen has room for the events beside it,
// and a high one for the charts.
func (m *model) conclusion(s *board.State, height int) []string {
	if !m.framed(height) {
		return append([]string{rule("verdict", m.width)}, m.findings(s, m.width, height-1)...)
	}
	columns := m.width
	if m.width >= 150 {
		columns = m.width * 11 / 20
	}
	var lines []string
	if needed := len(verdict(*s.Verdict(), s.Run().Limits.Speed, min(columns-2, 120))); height >= needed+2+chartRows {
		lines = m.charts(s)
	}
	rows := height - len(lines)
	shown := panel("verdict", m.findings(s, columns-2, rows-2), columns, rows)
	if columns < m.width {
		shown = beside(shown, m.eventPanel(m.width-columns, rows, 0), rows)
	}
	return append(lines, shown...)
}

// findings are why, each finding with its cure, and the rules.
func (m *model) findings(s *board.State, columns, room int) []string {
	all := verdict(*s.Verdict(), s.Run().Limits.Speed, min(columns, 120))
	room = max(room, 1)
	m.scroll = min(m.scroll, max(0, len(all)-room))
	shown := all[m.scroll:min(len(all), m.scroll+room)]
	if below := len(all) - m.scroll - len(shown); below > 0 && len(shown) > 1 {
		shown = append(shown[:len(shown)-1:len(shown)-1], dim.Render(fmt.Sprintf(" %d more lines: pgdn", below+1)))
	}
	return shown
}

// verdict is a verdict in lines.
func verdict(v judge.Verdict, speed float64, columns int) []string {
	const name = 19 // columns of a fact's or a rule's
	var lines []string
	add := func(head, text string) { lines = append(lines, wrap(head, text, columns)...) }
	findings, clock := reports.ByWeight(v.Findings), reports.NewClock(speed, v)
	if len(findings) == 0 || v.Why != findings[0].Message {
		add(" ", strong.Render(safe(v.Why)))
		lines = append(lines, "")
	}
	for i, f := range findings {
		sign, style := "·", plain
		switch f.Level {
		case judge.Error:
			sign, style = "✗", bad
		case judge.Warning:
			sign, style = "!", warned
		}
		add(" "+style.Render(sign)+" ", style.Render(safe(f.RuleID+": "+f.Message)))
		if reports.Repeats(f, findings[:i]) {
			lines = append(lines, "")
			continue
		}
		for _, fact := range reports.Facts(f, clock) {
			add("   "+dim.Render(fit(safe(fact.Name), name)), safe(fact.Value))
		}
		if f.Fix != "" {
			add("   "+dim.Render(fit("fix", name)), strong.Render(safe(f.Fix)))
		}
		lines = append(lines, "")
	}
	for _, r := range v.Rules {
		sign := map[judge.Outcome]string{judge.Pass: good.Render("✓"), judge.Fail: bad.Render("✗"), judge.Inconclusive: warned.Render("?")}[r.Outcome]
		if sign == "" {
			sign = dim.Render("–")
		}
		add(" "+sign+" "+fit(safe(r.ID), name), safe(r.Detail))
	}
	return lines
}
