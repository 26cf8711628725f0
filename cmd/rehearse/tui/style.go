package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// Colours are the terminal's own sixteen, which its owner has chosen for a
// light or a dark background. They only repeat what signs and words say.
var (
	plain  = lipgloss.NewStyle()
	strong = plain.Bold(true)
	dim    = plain.Faint(true)
	good   = plain.Foreground(lipgloss.Green)
	warned = plain.Foreground(lipgloss.Yellow)
	bad    = plain.Foreground(lipgloss.Red).Bold(true)
	label  = plain.Reverse(true).Bold(true)
	chosen = plain.Reverse(true)
)

// ofLevel is the style of an answer.
func ofLevel(l board.Level) lipgloss.Style {
	switch l {
	case board.Good:
		return good
	case board.Warned:
		return warned
	case board.Bad:
		return bad
	}
	return plain
}

// fit is text in exactly so many columns.
func fit(text string, columns int) string {
	if columns <= 0 {
		return ""
	}
	text = ansi.Truncate(text, columns, "…")
	return text + strings.Repeat(" ", columns-ansi.StringWidth(text))
}

// right is fit, with the text at the right end.
func right(text string, columns int) string {
	text = ansi.Truncate(text, max(columns, 0), "…")
	return strings.Repeat(" ", max(0, columns-ansi.StringWidth(text))) + text
}

// wrap is text in lines of at most so many columns behind a head; the lines
// after the first begin below the text.
func wrap(head, text string, columns int) []string {
	const least = 20 // columns; less cannot be read anyway
	indent := ansi.StringWidth(head)
	lines := strings.Split(ansi.Wrap(text, max(columns-indent, least), ""), "\n")
	for i := range lines {
		if i == 0 {
			lines[i] = head + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", indent) + strings.TrimLeft(lines[i], " ")
		}
	}
	return lines
}

// join is as many of the parts as have room, in one line.
func join(parts []string, gap string, columns int) string {
	line := ""
	for i, part := range parts {
		if i > 0 {
			part = gap + part
		}
		if i > 0 && ansi.StringWidth(line)+ansi.StringWidth(part) > columns {
			continue // a shorter one may fit
		}
		line += part
	}
	return line
}

// rule is a line that names what comes below it.
func rule(name string, columns int) string {
	text := "── " + name + " "
	return dim.Render(ansi.Truncate(text+strings.Repeat("─", max(0, columns-ansi.StringWidth(text))), columns, ""))
}

// panel is lines in a border that has its name, in exactly so many columns
// and rows. What is too much is cut at the end.
func panel(name string, lines []string, columns, rows int) []string {
	inside := max(columns-2, 0)
	name = ansi.Truncate(name, max(inside-4, 0), "…")
	framed := []string{dim.Render("╭─ ") + strong.Render(name) + dim.Render(" "+strings.Repeat("─", max(0, inside-3-ansi.StringWidth(name)))+"╮")}
	for i := range max(rows-2, 0) {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		framed = append(framed, dim.Render("│")+fit(line, inside)+dim.Render("│"))
	}
	return append(framed, dim.Render("╰"+strings.Repeat("─", inside)+"╯"))
}

// beside is two panels next to each other.
func beside(left, right []string, rows int) []string {
	lines := make([]string, rows)
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) {
			lines[i] += right[i]
		}
	}
	return lines
}

// safe is text of others in one line that cannot steer the terminal.
func safe(text string) string { return plaintext.Line(text) }

// bar is a bar that is filled to a share.
func bar(share float64, columns int) string {
	full := min(max(int(share*float64(columns)+0.5), 0), columns)
	if share > 0 && full == 0 {
		full = 1 // some is not none
	}
	if share < 1 && full == columns {
		full = columns - 1
	}
	return strings.Repeat("█", full) + strings.Repeat("░", columns-full)
}
