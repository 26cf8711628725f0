package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// leastText is the least width of a text beside its head; a narrower terminal cuts the lines itself.
const leastText = 24

// hanging writes a head, padded to some columns, and a text beside it, wrapped at the terminal's width
// and indented. A width of 0 is one line, as for a pipe.
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
