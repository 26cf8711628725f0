package cause

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Explain finds out, from what happened, why a cell was refused: with which step it began, by which
// mechanism, which party to look at, and what to change.
func (e *Case) Explain(key history.CellKey, sum *history.Counts) judge.Finding {
	c := e.Refusal(key, sum)
	told, found := c.Detect()
	if !found {
		told = c.unknown()
	}
	if told.Cause == judge.CauseUnknown {
		told = c.underAFault(told)
	}
	f := judge.Finding{
		Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Validator, Credential: key.Credential,
		CausedBy: c.CausedBy, FirstPhase: e.PhaseAt(sum.FirstFailure),
		FirstMS: sum.FirstFailure.Milliseconds(), LastMS: sum.LastFailure.Milliseconds(), Count: sum.AuthFailures,
	}
	told.Apply(&f)
	f.Message = fmt.Sprintf("%s was refused %s by %s with %s: %s%s",
		key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator, key.Credential, told.Why+c.ItsLog(told.Cause != judge.CauseUnknown), e.Cite(e.Disturbing(key, c.Validator, sum)))
	return f
}

// Refusal is a refused cell, to be explained.
func (e *Case) Refusal(key history.CellKey, sum *history.Counts) *Cell {
	validator, _ := e.Limits.Validator(key.Validator)
	if validator.Name == "" {
		validator.Name = key.Validator
	}
	return &Cell{
		Case: e, Symptom: Refused, Presenter: key.Presenter, Validator: validator, Credential: key.Credential,
		Sum: sum, First: sum.FirstFailure, Last: sum.LastFailure, CausedBy: e.beganWith(key, sum.FirstFailure), Way: e.WayTo(validator),
	}
}

// beganWith is the step that a refusal began with: the last one before it. A new credential, however
// late it is first seen, was put to the test by the emit and not by the revoke, unless the old one was
// presented beside it until then.
func (e *Case) beganWith(key history.CellKey, first history.Offset) string {
	step := e.LastStep(first)
	if key.Credential == e.Fresh && !e.Several(key.Presenter) && (step == string(keyring.Revoke) || step == string(keyring.Destroy)) {
		return string(keyring.Emit)
	}
	return step
}

// Several reports whether what a presenter presents is every accepted credential
// at once.
func (e *Case) Several(presenter string) bool {
	m, _ := e.Limits.Emitter(e.EmitterOf(presenter))
	return m.Several
}

// until is the half sentence about when the validator learned the new credential.
func (c *Cell) until() string {
	if !c.EverLearned {
		return "; it never learned it"
	}
	return fmt.Sprintf("; it learned it %s after it was accepted", c.Page(c.LearnedAt-c.Accepted))
}

// LastFetch is the half sentence about when a validator last fetched a set.
func (e *Case) LastFetch(validator string) string {
	fetches := e.Fetches(validator, 0, e.End)
	v, _ := e.Limits.Validator(validator)
	if len(fetches) == 0 && (v.Blind || v.Reads || e.Limits.Attached()) {
		return "no log tells what it fetched, or when"
	}
	if len(fetches) == 0 {
		return "it fetched no set"
	}
	last := fetches[len(fetches)-1].At
	if last < e.Start {
		return "it has not fetched the set since it was started"
	}
	return "its last fetch was at " + last.String()
}

// lastLoaded is the half sentence about when a party last took what is published.
func (e *Case) lastLoaded(party string) string {
	for _, event := range slices.Backward(e.Events) {
		if event.Kind == history.KindLoaded && event.Service == party {
			return fmt.Sprintf("it still has what was published at its last read, at %s", event.At)
		}
	}
	return "no log says when it last read what is published"
}

// AtLeast is a measured wall time plus the margin, as page time.
func (e *Case) AtLeast(wall history.Offset) string {
	return plan.Text((e.Limits.Page(wall.Duration()) + evidence.Margin).Round(time.Second))
}

// fixLead says which lead is enough at any moment of the next rotation: the bound G1, with the interval
// of fetches where that was seen to be longer than the page says, and no less than what was measured of
// the validator or of its publisher.
func (c *Cell) fixLead() string {
	v := c.Validator
	v.Learns = max(v.Learns, v.Rereads, c.fetchedEvery())
	g1 := max(c.Limits.G1(v), c.leadSeen(v.Name))
	if !c.EverLearned {
		return fmt.Sprintf("publish at least %s before emitting, and wait until %s has it", plan.Text(g1), v.Name)
	}
	if seen := c.Limits.Page((c.LearnedAt - c.Accepted).Duration()); c.BySight && seen > g1+c.Limits.Page(evidence.Nearly.Duration()) {
		return fmt.Sprintf("publish more than %s before emitting (lead): no log says how often %s reads what is published, so find that out, write it on the page, and let the gate of verify wait for %s", c.AtLeast(c.LearnedAt-c.Accepted), v.Name, v.Name)
	}
	if g1 == runbook.Forever { // it is not on the page
		return fmt.Sprintf("put %s on the page, with how late it learns, and publish more than %s before emitting (lead), which is how late it was this time", v.Name, c.AtLeast(c.LearnedAt-c.Accepted))
	}
	need := max(g1, c.Limits.Page((c.LearnedAt-c.Accepted).Duration())+evidence.Margin)
	if c.BySight { // the page's bound, raised by what was seen
		need = g1
	}
	return fmt.Sprintf("publish at least %s before emitting (lead), and let the gate of verify wait for %s", plan.Text(roundUp(need)), v.Name)
}

// leadSeen is the least lead for a validator by everything that the run has seen, also of its
// publisher; 0 where the page's is enough or no lead is.
func (e *Case) leadSeen(validator string) time.Duration {
	for _, b := range e.BoundsSeen() {
		if b.Rule == "G1" && b.Validator == validator && !b.Held && b.Needed != runbook.Forever {
			return b.Needed
		}
	}
	return 0
}

// BoundsSeen are the bounds of the page with what the run has seen.
func (e *Case) BoundsSeen() []plan.Bound {
	return e.Limits.BoundsSeen(plan.Sight{View: e.View, Old: e.Old, New: e.Fresh})
}

// roundUp rounds page time up to whole seconds.
func roundUp(d time.Duration) time.Duration {
	if d == runbook.Forever {
		return d
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

// fetchedEvery is how long the validator kept its set before it learned the new credential, in page
// time: the next rotation may come right after a fetch. 0 where that was not seen, or the new
// credential itself caused the fetch.
func (c *Cell) fetchedEvery() time.Duration {
	if !c.EverLearned || c.Validator.OnMiss {
		return 0
	}
	var before history.Offset
	for _, fetch := range c.Fetches(c.Validator.Name, 0, c.LearnedAt-evidence.Nearly/10) {
		before = fetch.At
	}
	if before == 0 || before > c.Accepted {
		return 0 // it fetched since the accept, and did not get it for another reason
	}
	kept := c.LearnedAt - before
	if v := c.Validator; v.Learns == runbook.Forever || kept <= history.Offset(c.Limits.Wall(v.Learns)+v.Granule)+evidence.Nearly {
		return 0 // as the page says, within the precision of clocks and logs
	}
	return c.Limits.Page(kept.Duration())
}
