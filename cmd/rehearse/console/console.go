// Package console tells a run as it happens, in lines that can be read at
// night: short, with figures and names. It listens to the history like every
// other listener and changes nothing that is measured.
package console

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

// Options say how to print.
type Options struct {
	// Color marks lines with colour as well; the words alone say everything.
	Color bool
	// Verbose tells of every service, fetch and read too.
	Verbose bool
	// Terminal keeps the progress on one line, which is written anew; without
	// it progress is a line of its own every ten seconds.
	Terminal bool
	// NoProgress leaves out how far the run is: it is shown elsewhere.
	NoProgress bool
	// Width is the terminal's number of columns; 0 is taken for 80.
	Width int
	// Baseline is how long the baseline is planned to last, in page time, for
	// the time that is left; 0: not known.
	Baseline time.Duration
}

// Console is a listener that prints. Make one with New.
type Console struct {
	limits plan.Limits

	mu     sync.Mutex // Close may come while an event is printed
	closed bool
	lines  // with the options

	story    story
	failing  failing
	progress progress
}

var _ history.Listener = (*Console)(nil)

// New is a console that writes to w.
func New(w io.Writer, limits plan.Limits, o Options) *Console {
	if limits.Speed <= 0 {
		limits.Speed = 1
	}
	return &Console{
		limits: limits, lines: lines{w: w, options: o},
		story: newStory(), failing: newFailing(), progress: progress{baseline: o.Baseline},
	}
}

// Event prints what an event tells, if anything.
func (c *Console) Event(e history.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.tell(e)
	if e.Kind == history.KindCounts && e.Counts != nil {
		c.count(e.At, e.Counts)
	}
	if !c.options.NoProgress {
		c.showProgress(e)
	}
}

// Dropped says that events are missing from what is printed; the history has them.
func (c *Console) Dropped(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.say(c.progress.now, warn, "%s events were not shown: the terminal was too slow. The run's folder has them.", reports.Count(n))
	}
}

// Close removes the status line and ends the printing: later events are
// ignored. It returns the first error of writing.
func (c *Console) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clearStatus()
	c.closed = true
	return c.err
}

// mark is the sign that a line begins with, and its colour.
type mark struct{ sign, color string }

var (
	phase   = mark{"▸", "1"}
	good    = mark{"✓", "32"}
	bad     = mark{"✗", "31"}
	warn    = mark{"!", "33"}
	back    = mark{"↩", "33"}
	neutral = mark{"·", "2"}
)

// say prints a line of the story: when, the mark, what.
func (c *Console) say(at history.Offset, m mark, format string, args ...any) {
	text := plaintext.Line(fmt.Sprintf(format, args...))
	c.print(fmt.Sprintf("%s  %s\n", clock(at), paint(c.options.Color, m.color, m.sign+" "+text)))
}

// clock is wall time since the start as minutes and seconds: "01:07.4".
func clock(at history.Offset) string {
	tenths := at.Duration().Round(100*time.Millisecond) / (100 * time.Millisecond)
	return fmt.Sprintf("%02d:%02d.%d", tenths/600, tenths/10%60, tenths%10)
}

// both tells wall time in page time too.
func (c *Console) both(wall history.Offset) string {
	return reports.PageAndWall(c.limits.Speed, wall.Duration())
}

// planned tells page time in wall time too.
func (c *Console) planned(page time.Duration) string {
	if c.limits.Speed == 1 {
		return plan.Text(page)
	}
	return fmt.Sprintf("%s (%s)", plan.Text(page), plan.Text(c.limits.Wall(page)))
}
