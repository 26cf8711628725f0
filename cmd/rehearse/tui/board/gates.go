package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/reports"
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
	phases := []history.Phase{history.Baseline, history.Verify, history.Emit, history.Overlap, history.Watch}
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
		c.Standing, c.Text = Waiting, "nothing is missing so far"
		if missing := s.missing(p); len(missing) > 0 {
			c.Text = "waits: " + strings.Join(missing, "; ")
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

// missing is what a gate still waits for.
func (s *State) missing(p history.Phase) []string {
	var missing []string
	old, fresh := s.names()
	l := s.run.Limits
	switch p {
	case history.Baseline:
		for _, r := range s.Rows() {
			if s.Judged(r) && r.Attempts == 0 {
				missing = append(missing, r.Presenter+" is not seen yet")
			}
		}
	case history.Verify:
		if n := s.Need(history.Verify); n.Short() {
			missing = append(missing, n.Text())
		}
		for _, v := range l.Validators {
			if _, holds := s.view.Holds[v.Name][fresh]; v.OnPage && !holds && !v.OnMiss && !v.Authority {
				missing = append(missing, fmt.Sprintf("%s has not taken %s", v.Name, fresh))
			}
		}
	case history.Emit:
		for _, e := range l.Emitters {
			if e.OnPage && s.view.Emitting[e.Name] != fresh {
				missing = append(missing, fmt.Sprintf("%s does not use %s yet", e.Name, fresh))
			}
		}
	case history.Overlap:
		if n := s.Need(history.Overlap); n.Short() {
			missing = append(missing, n.Text())
		}
		for _, r := range s.Rows() {
			if n := s.RowNow(r); s.Judged(r) && n.Shares[old] > 0 && !l.Excepted(r.Presenter) {
				missing = append(missing, fmt.Sprintf("%s still uses %s (%s now)", r.Presenter, old, reports.Share(n.Shares[old], n.Attempts)))
			}
		}
	case history.Watch:
		for _, v := range l.Validators {
			if probe, asked := s.view.Probes[v.Name][old]; !asked || probe.Outcome == history.OK {
				missing = append(missing, fmt.Sprintf("%s still takes %s", v.Name, old))
			}
		}
	}
	return missing
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
	n, there := map[history.Phase]Need{
		history.Verify:  {Phase: p, What: "lead", Rule: "G1", Planned: l.Lead},
		history.Overlap: {Phase: p, What: "window", Rule: "G2", Planned: l.Window},
		history.Watch:   {Phase: p, What: "watch", Rule: "G3", Planned: l.Watch},
	}[p]
	if !there {
		return Need{}
	}
	for _, b := range l.BoundsSeen(plan.Sight{View: s.view, Old: s.Old(), New: s.New()}) {
		if b.Rule == n.Rule && (b.Needed > n.Needed || n.Who == "") {
			n.Needed, n.Who = b.Needed, b.Party
		}
	}
	return n
}
