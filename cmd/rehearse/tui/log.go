package tui

import (
	"bytes"
	"strings"
	"sync"
)

// keptLines is how many lines of the story are kept: more than the highest
// terminal shows.
const keptLines = 500

// lines keeps the end of what a console tells. It is an io.Writer of whole lines.
type lines struct {
	mu   sync.Mutex
	kept []string
}

// Write keeps each line.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(p) {
		l.kept = append(l.kept, strings.TrimSuffix(string(line), "\n"))
	}
	if n := len(l.kept); n > 2*keptLines {
		l.kept = append([]string{}, l.kept[n-keptLines:]...)
	}
	return len(p), nil
}

// last is at most n lines, the newest last, of those before a number of the newest.
func (l *lines) last(n, before int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := max(0, len(l.kept)-before)
	return append([]string{}, l.kept[max(0, end-max(n, 0)):end]...)
}

// wrapStory is a line of the story in as many lines as it needs, what follows below
// the words of the first.
func wrapStory(line string, columns int) []string {
	clock, rest, ok := strings.Cut(line, "  ")
	if !ok {
		return wrap("", line, columns)
	}
	sign, words, ok := strings.Cut(rest, " ")
	if !ok {
		return []string{fit(storyLine(line), columns)}
	}
	lines := wrap(clock+"  "+sign+" ", words, columns)
	lines[0] = storyLine(lines[0])
	return lines
}

// storyLine is a line of the story in the style of the sign that it has.
func storyLine(line string) string {
	clock, rest, ok := strings.Cut(line, "  ")
	if !ok {
		return line
	}
	switch {
	case strings.HasPrefix(rest, "✓"):
		rest = good.Render("✓") + strings.TrimPrefix(rest, "✓")
	case strings.HasPrefix(rest, "✗"):
		rest = bad.Render(rest)
	case strings.HasPrefix(rest, "!"), strings.HasPrefix(rest, "↩"):
		rest = warned.Render(rest)
	case strings.HasPrefix(rest, "▸"):
		rest = strong.Render(rest)
	}
	return dim.Render(clock) + "  " + rest
}
