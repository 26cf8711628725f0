package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// leastText is how narrow a text may become beside what stands before it: on a
// terminal that is narrower, lines are cut by the terminal.
const leastText = 24

// hanging writes a line that begins with a head, padded to some columns, and goes on
// with text, broken between words where the terminal ends and indented below itself.
// A width of 0 is one line, as for a pipe.
func hanging(w io.Writer, width, columns int, head, text string) error {
	lines := []string{text}
	if room := width - columns; width > 0 {
		lines = strings.Split(ansi.Wordwrap(text, max(room, leastText), ""), "\n")
	}
	for i, line := range lines {
		if i > 0 {
			head = ""
		}
		if _, err := fmt.Fprintf(w, "%-*s%s\n", columns, head, strings.TrimRight(line, " ")); err != nil {
			return fmt.Errorf("write a list: %w", err)
		}
	}
	return nil
}
