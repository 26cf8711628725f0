package logs

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

const (
	// tailLines is how many lines of each service are kept in memory for an operator, and as many that
	// tell of decisions: those come with every request, and would push out all others. The files have
	// everything.
	tailLines = 200
	// tailLine is the longest line that is kept, in bytes.
	tailLine = 4 << 10
)

// tails are the ends of the services' logs. It is safe for concurrent use.
type tails struct {
	mu   sync.Mutex
	ends map[string]*[2]tail // of decisions, and of all else
	n    int64               // lines so far
}

// tail is a ring of lines.
type tail struct {
	lines []tailed
	next  int // where the next line goes, once the ring is full
}

// tailed is a line with its place among all.
type tailed struct {
	n    int64
	text string
}

func newTails() *tails { return &tails{ends: map[string]*[2]tail{}} }

// add keeps a line of a service, in place of its oldest where there are enough.
func (t *tails) add(service string, line []byte, decision bool) {
	text := string(line)
	if len(line) > tailLine {
		text = fmt.Sprintf("(a line of %d bytes, which the file has)", len(line))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ends := t.ends[service]
	if ends == nil {
		ends = &[2]tail{}
		t.ends[service] = ends
	}
	t.n++
	end := &ends[0]
	if decision {
		end = &ends[1]
	}
	if len(end.lines) < tailLines {
		end.lines = append(end.lines, tailed{t.n, text})
		return
	}
	end.lines[end.next] = tailed{t.n, text}
	end.next = (end.next + 1) % tailLines
}

// last is at most n lines of a service, the newest last.
func (t *tails) last(service string, n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ends := t.ends[service]
	if ends == nil {
		return nil
	}
	all := slices.Concat(ends[0].lines, ends[1].lines)
	slices.SortFunc(all, func(a, b tailed) int { return cmp.Compare(a.n, b.n) })
	all = all[len(all)-max(0, min(n, len(all))):]
	lines := make([]string, len(all))
	for i, line := range all {
		lines[i] = line.text
	}
	return lines
}
