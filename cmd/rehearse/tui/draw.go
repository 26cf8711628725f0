package tui

import (
	"fmt"
	"slices"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// The smallest screen that has room for more than the answer.
const (
	leastWidth  = 50
	leastHeight = 12
)

// draw is the screen: exactly as many lines as it is high, none wider than it is.
func (m *model) draw(s *board.State) []string {
	if m.width <= 0 || m.height <= 0 {
		return nil
	}
	foot := m.foot(s)
	var lines []string
	if m.width < leastWidth || m.height < leastHeight {
		lines = []string{m.answer(s), m.banner(s), m.track(s), m.progress(s)}
	} else {
		lines = m.top(s)
		lines = append(lines, m.body(s, m.height-len(lines)-1)...)
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:m.height-1], foot)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	return lines
}

// body is what stands between the top and the foot.
func (m *model) body(s *board.State, height int) []string {
	switch m.mode {
	case helping:
		return m.helpScreen(height)
	case injecting, undoing:
		return m.menuScreen(height)
	case looking:
		return m.look(s, height)
	}
	rows := min(len(s.Rows())+1, max(3, height*2/5))
	lines := m.table(s, rows)
	if s.Verdict() != nil && !m.showStory {
		return append(lines, m.conclusion(s, height-len(lines))...)
	}
	return append(lines, m.panels(s, height-len(lines))...)
}

// foot is the last line: a question, a short message, or the keys.
func (m *model) foot(s *board.State) string {
	operator := m.operator.state()
	switch {
	case m.confirm != nil:
		return label.Render(" "+safe(m.confirm.text)+" ") + strong.Render(" y") + " yes · any other key no"
	case operator.says != "" && s.Ended() == "":
		// The question stays readable however much the gate says.
		const answers = " y yes · n no"
		text := safe(console.Anyway(operator.asked, operator.says))
		if over := ansi.StringWidth(text) + 2 + len(answers) - m.width; over > 0 {
			says := ansi.Truncate(safe(operator.says), max(8, ansi.StringWidth(safe(operator.says))-over), "…")
			text = console.Anyway(operator.asked, says)
		}
		return label.Render(" "+text+" ") + strong.Render(" y") + " yes · " + strong.Render("n") + " no"
	case m.notice != "" && m.now().Sub(m.noticed) < noticeFor:
		return strong.Render(" " + safe(m.notice))
	}
	return " " + m.help.ShortHelpView(m.bindings(s))
}

// bindings are the keys that do something now.
func (m *model) bindings(s *board.State) []key.Binding {
	switch m.mode {
	case helping:
		return []key.Binding{keys.Back}
	case injecting, undoing:
		return []key.Binding{keys.Up, keys.Down, keys.Choose, keys.Back}
	case looking:
		return []key.Binding{keys.Back, keys.Next, keys.Previous}
	}
	if s.Verdict() != nil {
		return []key.Binding{keys.Quit, keys.Panels, keys.PageDown, keys.PageUp, keys.Help, keys.Look}
	}
	if m.replay {
		return []key.Binding{keys.Quit, keys.PageUp, keys.PageDown, keys.Help, keys.Look}
	}
	operator := m.operator.state()
	var shown []key.Binding
	switch {
	case operator.asked == history.Revoke:
		shown = append(shown, keys.Revoke)
	case operator.asked != "":
		shown = append(shown, keys.GoOn)
	}
	if s.Ended() == "" && operator.ready {
		hold := short(keys.Hold, "hold")
		if operator.hold {
			hold = short(keys.Hold, "no hold")
		}
		shown = append(shown, hold, keys.RollBack, keys.Abort, short(keys.Inject, "inject"))
		if slices.ContainsFunc(s.Faults(), board.Fault.UnderWay) {
			shown = append(shown, short(keys.Undo, "undo"))
		}
	}
	return append(shown, keys.Help, keys.Quit, keys.Look)
}

// short is a key with fewer words: the help has all of them.
func short(k key.Binding, does string) key.Binding {
	k.SetHelp(k.Help().Key, does)
	return k
}

// newHelp draws keys: the key strong, what it does plain.
func newHelp() help.Model {
	h := help.New()
	h.ShortSeparator = " · "
	h.Styles = help.Styles{
		Ellipsis: dim, ShortKey: strong, ShortDesc: plain, ShortSeparator: dim,
		FullKey: strong, FullDesc: plain, FullSeparator: plain,
	}
	return h
}

// menuScreen is the choice of a fault.
func (m *model) menuScreen(height int) []string {
	name := "inject a fault: it lasts until you undo it, at the latest to the end"
	if m.mode == undoing {
		name = "undo a fault"
	}
	lines := []string{rule(name, m.width)}
	if len(m.menu) == 0 {
		return append(lines, " asking what can be injected…")
	}
	room := max(height-3, 1)
	first := min(max(0, m.chosen-room/2), max(0, len(m.menu)-room))
	for i := first; i < min(len(m.menu), first+room); i++ {
		f := m.menu[i]
		text := fit(safe(f.Kind+" on "+f.Target), 28)
		if i == m.chosen {
			lines = append(lines, chosen.Render(" ▸ "+text))
		} else {
			lines = append(lines, "   "+text)
		}
	}
	return append(append(lines, ""), wrap(" ", safe(m.menu[m.chosen].Does), m.width-1)...)
}

// helpScreen is the keys, and what the signs mean.
func (m *model) helpScreen(height int) []string {
	lines := []string{rule("keys", m.width)}
	left := []key.Binding{keys.GoOn, keys.Revoke, keys.Hold, keys.RollBack, keys.Abort, keys.Inject, keys.Undo}
	right := []key.Binding{keys.Look, keys.Up, keys.Down, keys.PageUp, keys.PageDown, keys.Quit, keys.Interrupt}
	for i := range left {
		lines = append(lines, fmt.Sprintf(" %s %s %s %s", strong.Render(fit(left[i].Help().Key, 7)), fit(left[i].Help().Desc, 28),
			strong.Render(fit(right[i].Help().Key, 7)), right[i].Help().Desc))
	}
	lines = append(lines, rule("signs", m.width))
	for _, sign := range [][2]string{
		{good.Render("✓"), "flat, done, held"}, {bad.Render("✗"), "refused now, not held, not enough"},
		{warned.Render("~"), "flat again; it was not"}, {warned.Render("!"), "no answer: cannot be flat"},
		{"▁▃█", "refused: none, some, all"}, {bad.Render("x"), "no answer, over time"},
		{"░ █", "presented: the old one, the new one"},
		{"B A V E O R W", "where each phase began"}, {"▲", "what the slowest party needs; beyond the bar it is not enough"},
	} {
		lines = append(lines, " "+fit(sign[0], 14)+" "+sign[1])
	}
	return lines[:min(len(lines), max(height, 0))]
}
