package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

const (
	// rewriteEvery and printEvery are wall time between two states of the
	// status line, and between two lines of progress without a terminal.
	rewriteEvery = 200 * time.Millisecond
	printEvery   = 10 * time.Second
	// recent is the stretch over which failures and shares are told.
	recent = time.Second
)

// progress is how far a run is. Its clock is that of the events: the counts
// come many times a second while there is load, and a progress that stands
// still says that nothing comes in.
type progress struct {
	baseline time.Duration // page time; 0: not known
	now      history.Offset
	phase    history.Phase // "" before the first and after the last
	began    history.Offset
	shown    history.Offset
	attempts int64
	samples  []sample // of the recent stretch, in order
}

// sample is what one bucket counted.
type sample struct {
	at                     history.Offset
	attempts, failures, to int64 // to: attempts with the new credential
}

// add takes a bucket into account.
func (p *progress) add(at history.Offset, n *history.Counts, newName string) {
	p.attempts += n.Attempts
	s := sample{at: at, attempts: n.Attempts, failures: n.AuthFailures}
	if n.Credential == newName {
		s.to = n.Attempts
	}
	p.samples = append(p.samples, s)
	p.forget(at)
}

// forget drops the samples that are not recent at a moment.
func (p *progress) forget(at history.Offset) {
	p.samples = slices.DeleteFunc(p.samples, func(s sample) bool { return s.at <= at-history.Offset(recent) })
}

// showProgress shows how far the run is, where it is time to.
func (c *Console) showProgress(e history.Event) {
	p := &c.progress
	p.now = max(p.now, e.At)
	switch e.Kind {
	case history.KindPhase:
		p.phase, p.began = e.Phase, e.At
	case history.KindEnd:
		p.phase = ""
		c.clearStatus()
	}
	if p.phase == "" || c.limits.Simulated { // in virtual time there is nothing to wait for
		return
	}
	every := printEvery
	if c.options.Terminal {
		every = rewriteEvery
		if !c.status { // a line of the story has just taken its place
			every = 0
		}
	}
	if p.now-p.shown < history.Offset(every) {
		return
	}
	p.shown = p.now
	if c.options.Terminal {
		c.setStatus(clock(p.now) + "  " + c.progressText())
	} else {
		c.say(p.now, neutral, "%s", c.progressText())
	}
}

func (c *Console) progressText() string {
	p := &c.progress
	parts := []string{string(p.phase)}
	if left, all, known := p.left(c.limits); known {
		of := c.overdue()
		if left = left.Round(time.Second); left > 0 {
			of = plan.Text(left) + " left"
		}
		parts[0] += fmt.Sprintf(", %s, %s to the end", of, plan.Text(all.Round(time.Second)))
	}
	p.forget(p.now)
	var attempts, failures, to int64
	for _, s := range p.samples {
		attempts += s.attempts
		failures += s.failures
		to += s.to
	}
	parts = append(parts, reports.Count(p.attempts)+" attempts")
	switch {
	case attempts == 0:
		parts = append(parts, "none in the last second")
	default:
		parts = append(parts, reports.Count(failures)+" auth failures/s")
		if len(c.story.made) > 1 {
			parts = append(parts, c.story.newName()+" "+reports.Share(to, attempts))
		}
	}
	return strings.Join(parts, " · ")
}

// overdue says what a phase waits for beyond its time.
func (c *Console) overdue() string {
	if timed := c.limits.Timed(); len(timed) > 0 && c.progress.phase == history.Baseline {
		return "waits for the worst moment for " + timed[0].Name
	}
	return "about to end"
}

// left is the wall time that is planned until the end of the phase and of the
// run; not known on the way back.
func (p *progress) left(l plan.Limits) (phase, all time.Duration, known bool) {
	for _, ph := range history.Phases() {
		length := l.Length(ph)
		if ph == history.Baseline {
			length = p.baseline
		}
		switch {
		case ph == p.phase:
			known = ph != history.Baseline || p.baseline > 0
			phase = max(0, l.Wall(length)-(p.now-p.began).Duration())
			all = phase
		case known:
			all += l.Wall(length)
		}
	}
	return phase, all, known
}
