package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

// progress shows on a terminal how far something has come, and how long it may still take. Elsewhere it
// shows nothing.
type progress struct {
	w     io.Writer // nil: it tells nothing
	what  string
	began time.Time

	mu   sync.Mutex
	n    int
	told time.Time
}

const (
	// tellEvery is how often the line is redrawn.
	tellEvery = 200 * time.Millisecond
	// barWidth is how many characters a bar has.
	barWidth = 24
)

func newProgress(w io.Writer, what string) *progress {
	p := &progress{what: what, began: time.Now()}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.w = w
	}
	return p
}

// step counts one more of at most so many.
func (p *progress) step(of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	now := time.Now()
	if p.w == nil || now.Sub(p.told) < tellEvery {
		return
	}
	p.told = now
	share := min(1, float64(p.n)/float64(max(1, of)))
	left := time.Duration(float64(now.Sub(p.began)) * (1 - share) / share)
	full := int(share * barWidth)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	// An error of writing is ignored: the result is what counts.
	_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s %d of %d %s, %s left at most", bar, p.n, of, p.what, plan.Text(left.Round(time.Second)))
}

// end removes the line.
func (p *progress) end() {
	if p.w != nil {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
