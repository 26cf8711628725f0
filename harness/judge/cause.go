package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// nearly is wall time within which two things count as one: logs and counts
// have moments of their own.
const nearly = time.Second

// margin is what a cure adds to a measured time, in page time: the cache that
// was 14m50s old this time may be a little older the next.
const margin = 30 * time.Second

// explain finds out, from what happened, why a cell was refused: with which
// step it began, by which mechanism, who is to be looked at, and what to change.
func (e *evidence) explain(key history.CellKey, sum *history.Counts) Finding {
	c := e.refusal(key, sum)
	told, found := c.detect()
	if !found {
		told = c.unknown()
	}
	if told.cause == CauseUnknown {
		told = c.underAFault(told)
	}
	f := Finding{
		Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Validator, Credential: key.Credential,
		CausedBy: c.causedBy, FirstPhase: e.phaseAt(sum.FirstFailure),
		FirstMS: sum.FirstFailure.Milliseconds(), LastMS: sum.LastFailure.Milliseconds(), Count: sum.AuthFailures,
	}
	told.apply(&f)
	f.Message = fmt.Sprintf("%s was refused %s by %s with %s: %s%s",
		key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator, key.Credential, told.why+c.itsLog(told.cause != CauseUnknown), e.cite(e.disturbing(key, c.validator, sum)))
	return f
}

// refusal is a cell that was refused, as what is to be explained.
func (e *evidence) refusal(key history.CellKey, sum *history.Counts) *cell {
	validator, _ := e.limits.Validator(key.Validator)
	if validator.Name == "" {
		validator.Name = key.Validator
	}
	return &cell{
		evidence: e, symptom: refused, presenter: key.Presenter, validator: validator, credential: key.Credential,
		sum: sum, first: sum.FirstFailure, last: sum.LastFailure, causedBy: e.beganWith(key, sum.FirstFailure), way: e.wayTo(validator),
	}
}

// beganWith is the step that a refusal began with: the last one before it. Only,
// a new credential is not refused because the old one is revoked: however late
// it is first seen, it was being emitted that put it to the test. Unless the old
// one was presented beside it until then.
func (e *evidence) beganWith(key history.CellKey, first history.Offset) string {
	step := e.lastStep(first)
	if key.Credential == e.fresh && !e.several(key.Presenter) && (step == string(keyring.Revoke) || step == string(keyring.Destroy)) {
		return string(keyring.Emit)
	}
	return step
}

// several reports whether what a presenter presents is every accepted credential
// at once.
func (e *evidence) several(presenter string) bool {
	m, _ := e.limits.Emitter(e.emitterOf(presenter))
	return m.Several
}

// until is the half sentence about when the validator learned the new credential.
func (c *cell) until() string {
	if !c.everLearned {
		return "; it never learned it"
	}
	return fmt.Sprintf("; it learned it %s after it was accepted", c.page(c.learnedAt-c.accepted))
}

// lastFetch is the half sentence about when a validator last fetched a set.
func (e *evidence) lastFetch(validator string) string {
	fetches := e.fetches(validator, 0, e.end)
	v, _ := e.limits.Validator(validator)
	if len(fetches) == 0 && (v.Blind || v.Reads) {
		return "nobody tells what it fetched, and when"
	}
	if len(fetches) == 0 {
		return "it fetched no set"
	}
	last := fetches[len(fetches)-1].At
	if last < e.start {
		return "it has not fetched the set since it was started"
	}
	return "its last fetch was at " + last.String()
}

// lastLoaded is the half sentence about when a party last took what is published.
func (e *evidence) lastLoaded(party string) string {
	for _, event := range slices.Backward(e.events) {
		if event.Kind == history.KindLoaded && event.Service == party {
			return fmt.Sprintf("it has what was published when it last read that, at %s", event.At)
		}
	}
	return "nobody tells when it last read what is published"
}

// atLeast is a measured wall time with the margin, as page time.
func (e *evidence) atLeast(wall history.Offset) string {
	return plan.Text((e.limits.Page(wall.Duration()) + margin).Round(time.Second))
}

// fixLead says which lead is enough, whatever moment the next rotation comes at:
// the bound G1, with what is known of how often the validator fetches where that is
// longer than the page says, and no less than what was measured, of it or of who
// publishes for it.
func (c *cell) fixLead() string {
	v := c.validator
	v.Learns = max(v.Learns, v.Rereads, c.fetchedEvery())
	g1 := max(c.limits.G1(v), c.leadSeen(v.Name))
	if !c.everLearned {
		return fmt.Sprintf("publish at least %s before emitting, and wait until %s has it", plan.Text(g1), v.Name)
	}
	if c.bySight {
		return fmt.Sprintf("publish more than %s before emitting (lead): nobody tells how often %s reads what is published, so find that out, write it on the page, and let the gate of verify wait for %s", c.atLeast(c.learnedAt-c.accepted), v.Name, v.Name)
	}
	need := max(g1, c.limits.Page((c.learnedAt-c.accepted).Duration())+margin)
	return fmt.Sprintf("publish at least %s before emitting (lead), and let the gate of verify wait for %s", plan.Text(roundUp(need)), v.Name)
}

// leadSeen is the least lead for a validator by all that the run has seen, also of
// who publishes for it; 0 where the page's is enough, or none is.
func (e *evidence) leadSeen(validator string) time.Duration {
	for _, b := range e.boundsSeen() {
		if b.Rule == "G1" && b.Validator == validator && !b.Held && b.Needed != runbook.Forever {
			return b.Needed
		}
	}
	return 0
}

// boundsSeen are the bounds of the page by all that the run has seen.
func (e *evidence) boundsSeen() []plan.Bound {
	return e.limits.BoundsSeen(plan.Sight{View: e.view, Old: e.old, New: e.fresh})
}

// roundUp is page time in whole seconds that is no less.
func roundUp(d time.Duration) time.Duration {
	if d == runbook.Forever {
		return d
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

// fetchedEvery is how long the validator kept what it had before it learned the
// new credential, in page time: the next rotation may come right after it fetched. 0
// where that is not seen, or where it was the new credential that made it fetch.
func (c *cell) fetchedEvery() time.Duration {
	if !c.everLearned || c.validator.OnMiss {
		return 0
	}
	var before history.Offset
	for _, fetch := range c.fetches(c.validator.Name, 0, c.learnedAt-history.Offset(nearly)/10) {
		before = fetch.At
	}
	if before == 0 || before > c.accepted {
		return 0 // it fetched since the accept, and had another reason not to have it
	}
	kept := c.learnedAt - before
	if v := c.validator; v.Learns == runbook.Forever || kept <= history.Offset(c.limits.Wall(v.Learns)+v.Granule)+history.Offset(nearly) {
		return 0 // as the page says, as far as clocks and logs can tell
	}
	return c.limits.Page(kept.Duration())
}
