package tui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports"
)

// framed is a screen that is wide and high enough for panels side by side.
func (m *model) framed(height int) bool { return m.width >= 100 && height >= 12 }

// panels are what stands below the table: gates, faults, events; side by side, below
// the charts, where the screen has room for it, else one below the other, the gates
// in two lines.
func (m *model) panels(s *board.State, height int) []string {
	if m.framed(height) {
		var lines []string
		if height >= leastCharts {
			lines = m.charts(s)
		}
		rows := height - len(lines)
		leftColumns := min(m.width*2/5, 78)
		gates, faults := m.gates(s, leftColumns-2), m.faults(s, leftColumns-2)
		below := min(max(rows-len(gates)-2, 3), len(faults)+2)
		if len(s.Faults()) == 0 {
			below = 3
		}
		left := append(panel("gates", gates, leftColumns, rows-below), panel("faults", faults, leftColumns, below)...)
		return append(lines, beside(left, m.eventPanel(m.width-leftColumns, rows, m.scroll), rows)...)
	}
	lines := m.gatesInShort(s)
	for i, f := range s.Faults() {
		if len(s.Faults())-i <= 2 { // the newest two
			lines = append(lines, " fault "+faultLine(s, f))
		}
	}
	return append(lines, m.events(m.width, height-len(lines), m.scroll)...)
}

// standing is a gate's sign.
func standing(c board.Check) string {
	switch c.Standing {
	case board.Held:
		return good.Render("✓")
	case board.NotHeld:
		return bad.Render("✗")
	case board.Waiting:
		return strong.Render("▶")
	case board.Skipped:
		return dim.Render("–")
	}
	return dim.Render("·")
}

// checkText is what a gate found, waits for or will ask.
func checkText(c board.Check) string {
	text := safe(c.Text)
	if c.Standing == board.NotHeld && !c.Enforced {
		return text + " (observed only)"
	}
	return text
}

// gates are the checklist of all gates.
func (m *model) gates(s *board.State, columns int) []string {
	const name = 9
	var lines []string
	for _, c := range s.Checks() {
		style := plain
		if c.Standing == board.Later || c.Standing == board.Skipped {
			style = dim
		}
		texts := wrap("", checkText(c), columns-name-3)
		most := 3
		if c.Standing == board.Later {
			most = 1
		}
		if len(texts) > most {
			texts = append(texts[:most-1], fit(strings.Join(texts[most-1:], " "), columns-name-3))
		}
		for i, text := range texts {
			head := " " + standing(c) + " " + style.Render(fit(string(c.Phase), name))
			if i > 0 {
				head = fit("", name+3)
			}
			lines = append(lines, head+style.Render(text))
		}
	}
	return lines
}

// gatesInShort is the checklist in one line, and in another what the next gate
// waits for, or what the last one that did not hold has found.
func (m *model) gatesInShort(s *board.State) []string {
	parts := []string{" gates"}
	detail := ""
	for _, c := range s.Checks() {
		parts = append(parts, standing(c)+" "+string(c.Phase))
		if c.Standing == board.NotHeld || c.Standing == board.Waiting { // the last of them is what matters now
			detail = "   " + string(c.Phase) + ": " + checkText(c)
		}
	}
	return []string{strings.Join(parts, "  "), detail}
}

// faults are those that were ordered, with their evidence.
func (m *model) faults(s *board.State, columns int) []string {
	var lines []string
	if len(s.Faults()) == 0 {
		return append(lines, dim.Render(" none"))
	}
	for _, f := range s.Faults() {
		lines = append(lines, wrap(" ", faultLine(s, f), columns)...)
	}
	return lines
}

// faultLine is a fault in a line: what, since when, whether it took effect.
func faultLine(s *board.State, f board.Fault) string {
	name := safe(f.Kind + " on " + f.Target)
	if f.By != "" {
		name += " (" + safe(f.By) + ")"
	}
	effect := ", being measured"
	style := lipgloss.NewStyle()
	switch {
	case f.Measured && f.Took:
		effect = ", took effect"
	case f.Measured:
		effect, style = ", no effect seen", bad
	}
	if e := evidence(f.Evidence); e != "" {
		effect += " (" + safe(e) + ")"
	}
	switch {
	case f.Injected < 0 && f.Detail == "":
		return warned.Render("… ") + name
	case f.Injected < 0:
		return bad.Render("✗ " + name + ": " + safe(f.Detail))
	case f.UnderWay() && f.Detail != "":
		return bad.Render("✗ " + name + ": " + safe(f.Detail))
	case f.UnderWay():
		return warned.Render("▶ "+name) + fmt.Sprintf(" since %s", board.Moment(f.Injected)) + style.Render(effect)
	}
	return good.Render("✓") + " " + name + fmt.Sprintf(" %s–%s, undone", board.Moment(f.Injected), board.Moment(f.Undone)) + style.Render(effect)
}

// events are the end of the story, or so many lines back from it.
func (m *model) events(columns, height, back int) []string {
	if height < 2 {
		return nil
	}
	lines := []string{rule(eventsName(back), columns)}
	for _, line := range m.story.last(height-1, back) {
		lines = append(lines, fit(storyLine(line), columns))
	}
	return lines
}

// eventPanel is the same in a frame, in which long lines go on in the next.
func (m *model) eventPanel(columns, rows, back int) []string {
	room := max(rows-2, 0)
	var lines []string
	for _, line := range slices.Backward(m.story.last(room, back)) {
		wrapped := wrapStory(" "+line, columns-2)
		if len(wrapped)+len(lines) > room {
			break
		}
		lines = append(wrapped, lines...)
	}
	return panel(eventsName(back), lines, columns, rows)
}

func eventsName(back int) string {
	if back > 0 {
		return fmt.Sprintf("events, %d lines back: pgdn", back)
	}
	return "events"
}

// evidence is what was measured of a fault: how often the target answered
// before and during it, and when again, in words; what else there is by name.
func evidence(measured map[string]float64) string {
	others := maps.Clone(measured)
	var parts []string
	for _, when := range []string{"before", "during"} {
		if asked, ok := measured[when+"_asked"]; ok {
			parts = append(parts, fmt.Sprintf("%.0f of %.0f answered %s", measured[when+"_answered"], asked, when))
			delete(others, when+"_asked")
			delete(others, when+"_answered")
		}
	}
	if ms, ok := measured[history.BackAfter]; ok {
		parts = append(parts, fmt.Sprintf("again after %.0fms", ms))
		delete(others, history.BackAfter)
	}
	if rest := reports.Evidence(others); rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, ", ")
}
