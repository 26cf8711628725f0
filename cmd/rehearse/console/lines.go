package console

import (
	"fmt"
	"io"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// lines writes lines and, on a terminal, keeps one below them that is written
// anew. It keeps the first error of writing and writes nothing after it.
type lines struct {
	w       io.Writer
	options Options
	err     error
	status  bool // a status line is on the screen
}

// The control sequences of ECMA-48 that are used: erase the line, set graphics.
const eraseLine = "\r\x1b[K"

// print writes text, which ends its lines, in place of the status line.
func (l *lines) print(text string) {
	l.clearStatus()
	l.write(text)
}

// setStatus writes the status line, in one line however narrow the terminal is.
func (l *lines) setStatus(text string) {
	width := l.options.columns()
	runes := []rune(plaintext.Line(text))
	// A line as wide as the terminal would wrap and could not be written anew.
	if most := max(width-1, 1); len(runes) > most {
		runes = append(runes[:most-1:most-1], '…')
	}
	l.write(eraseLine + paint(l.options.Color, neutral.color, string(runes)))
	l.status = true
}

func (l *lines) clearStatus() {
	if l.status {
		l.write(eraseLine)
		l.status = false
	}
}

func (l *lines) write(s string) {
	if l.err != nil {
		return
	}
	if _, err := io.WriteString(l.w, s); err != nil {
		l.err = fmt.Errorf("write to the console: %w", err)
	}
}

// columns is the terminal's width.
func (o Options) columns() int {
	if o.Width <= 0 {
		return 80
	}
	return o.Width
}

func paint(color bool, code, text string) string {
	if !color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
