package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Standing is where a gate stands.
type Standing string

// The standings.
const (
	Later   Standing = "later"
	Waiting Standing = "waiting" // its phase is under way
	Held    Standing = "held"
	NotHeld Standing = "not held"
	Skipped Standing = "skipped" // the run ended before it, or gates are off
)

// Check is a gate as a line of a checklist.
type Check struct {
	Phase    history.Phase
	Standing Standing
	// Text is what was found, what is still waited for, or what it will ask.
	Text string
	// Enforced says that the run stops where it does not hold.
	Enforced bool
}

// Checks are all gates in order.
func (s *State) Checks() []Check {
	phases := rotation.Gated()
	checks := make([]Check, len(phases))
	for i, p := range phases {
		checks[i] = s.check(p)
	}
	return checks
}

func (s *State) check(p history.Phase) Check {
	c := Check{Phase: p, Standing: Later, Text: s.asks(p), Enforced: s.run.Limits.Gates == "enforce"}
	found := s.gates[p]
	switch {
	case len(found) > 0:
		c.Standing = Held
		var texts []string
		for _, g := range found {
			if !g.Held {
				c.Standing = NotHeld
			}
			texts = append(texts, g.Detail)
		}
		c.Text = strings.Join(texts, "; ")
	case s.run.Limits.Gates == "off":
		c.Standing, c.Text = Skipped, "gates are off"
	case s.rotated || s.back != nil:
		c.Standing, c.Text = Skipped, "not asked"
	case s.leadsTo() == p:
		look := s.look()
		c.Standing, c.Text = Waiting, "nothing is missing so far"
		if missing := look.Missing(p); len(missing) > 0 {
			c.Text = "waits: " + strings.Join(missing, "; ")
		} else if later := look.AsksLater(p); later != "" {
			c.Text += ", and " + later
		}
	}
	return c
}

// leadsTo is the gate that comes next.
func (s *State) leadsTo() history.Phase {
	switch p := s.view.Phase; p {
	case history.Accept:
		return history.Verify
	case history.Revoke:
		return history.Watch
	default:
		return p
	}
}

// asks is what a gate asks for.
func (s *State) asks(p history.Phase) string {
	l := s.run.Limits
	old, fresh := s.names()
	switch p {
	case history.Baseline:
		return fmt.Sprintf("every client is seen, failures inside %.6g %%", 100*l.Objective)
	case history.Verify:
		return fmt.Sprintf("the lead is long enough, every validator takes %s", fresh)
	case history.Emit:
		return "every emitter uses " + fresh
	case history.Overlap:
		return fmt.Sprintf("the window is long enough, nobody uses %s", old)
	case history.Watch:
		return fmt.Sprintf("every validator refuses %s and takes %s", old, fresh)
	}
	return ""
}

// names are the two credentials, in words where they are not made yet.
func (s *State) names() (old, fresh string) {
	if old = s.Old(); old == "" {
		old = "the old one"
	}
	if fresh = s.New(); fresh == "" {
		fresh = "the new one"
	}
	return old, fresh
}

// look is what the gates see now.
func (s *State) look() rotation.Look {
	return rotation.Look{Limits: s.run.Limits, View: s.view, Now: s.Now(), Baseline: s.length(history.Baseline), OnPage: s.run.OnPage}
}

// Need is a stretch of the page against what the parties need of it; page time.
type Need struct {
	Phase   history.Phase
	What    string // lead, window, watch
	Rule    string // G1, G2, G3
	Planned time.Duration
	// Needed is the least that is enough for the slowest party; runbook.Forever:
	// none is.
	Needed time.Duration
	Who    string // that party; empty for a window
}

// Short says that what is planned is not enough.
func (n Need) Short() bool { return n.Planned < n.Needed }

// Text says whether it is enough, in a few words.
func (n Need) Text() string {
	who := ""
	if n.Who != "" {
		who = " for " + n.Who
	}
	if n.Needed == runbook.Forever {
		return fmt.Sprintf("%s %s, and none is enough%s", n.What, plan.Text(n.Planned), who)
	}
	verb := "needs"
	if n.Short() {
		verb = "must be"
	}
	return fmt.Sprintf("%s %s, %s %s%s", n.What, plan.Text(n.Planned), verb, plan.Text(n.Needed), who)
}

// Needs are those of the lead, the window and the watch.
func (s *State) Needs() []Need {
	return []Need{s.Need(history.Verify), s.Need(history.Overlap), s.Need(history.Watch)}
}

// Need is what the parties need of a phase, by the page and by what the run has seen
// so far; the zero value for a phase without bound.
func (s *State) Need(p history.Phase) Need {
	l := s.run.Limits
	n, ok := map[history.Phase]Need{
		history.Verify:  {Phase: p, What: "lead", Rule: "G1", Planned: l.Lead},
		history.Overlap: {Phase: p, What: "window", Rule: "G2", Planned: l.Window},
		history.Watch:   {Phase: p, What: "watch", Rule: "G3", Planned: l.Watch},
	}[p]
	if !ok {
		return Need{}
	}
	for _, b := range l.BoundsSeen(plan.Sight{View: s.view, Old: s.Old(), New: s.New()}) {
		if b.Rule == n.Rule && (b.Needed > n.Needed || n.Who == "") {
			n.Needed, n.Who = b.Needed, b.Party
		}
	}
	return n
}
