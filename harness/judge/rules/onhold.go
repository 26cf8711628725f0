package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// holdEffect is the effect of a hold on a stretch that is too short on the page: the stretch lasted
// longer, since caches and clients go on while the rotation waits for a person.
type holdEffect struct {
	text string // the effect, as the end of a sentence
	// sure says that without the hold somebody would have been refused: the run saw that they were not
	// ready when the page's stretch was over.
	sure bool
	who  string // to look at, where that is not the party of the bound
}

// reprieved is the effect of a hold on a broken bound by which nobody was refused; false where no hold
// had one.
func (e *judging) reprieved(b plan.Bound) (holdEffect, bool) {
	from, to := e.stretch(b.Rule)
	planned := from + history.Offset(e.Limits.Wall(b.Planned))
	held := e.View.OnHold(from, to)
	if held == 0 || to <= planned+evidence.Nearly {
		return holdEffect{}, false
	}
	r := holdEffect{text: fmt.Sprintf("the rotation was on hold for %s of page time, so that the %s lasted %s", e.Page(held), b.Stretch(), e.Page(to-from))}
	switch b.Rule {
	case "G1":
		e.learnedOnHold(&r, b.Validator, planned)
	case "G2":
		e.usedOnHold(&r, b.Party, planned, to)
	}
	if !r.sure {
		r.text += "; nobody was refused this time"
	}
	return r, true
}

// stretch is when the stretch of a bound really was.
func (e *judging) stretch(rule string) (from, to history.Offset) {
	revoked, _ := e.Done(keyring.Revoke, e.Old)
	switch rule {
	case "G1":
		from, _ = e.Done(keyring.Accept, e.Fresh)
		to, _ = e.Begun(keyring.Emit, e.Fresh)
	case "G2":
		from = e.View.LastSwitch(e.Fresh)
		to, _ = e.Begun(keyring.Revoke, e.Old)
	default:
		from, to = revoked, e.End
	}
	return from, to
}

// learnedOnHold says whether a validator learned the new credential only after the planned end of the
// lead.
func (e *judging) learnedOnHold(r *holdEffect, validator string, planned history.Offset) {
	v, _ := e.Limits.Validator(validator)
	accepted, _ := e.Done(keyring.Accept, e.Fresh)
	emitted, _ := e.Done(keyring.Emit, e.Fresh)
	learned, did := e.Learned(validator, e.Fresh, accepted)
	met := planned + max(0, e.View.Switched[v.From][e.Fresh]-emitted)
	if !did || v.OnMiss || e.View.OnMiss[validator] || learned <= met+evidence.Nearly {
		return
	}
	r.sure = true
	r.text += fmt.Sprintf("; %s learned %s only %s after it was accepted: without the hold it would have refused it for %s",
		validator, e.Fresh, e.Page(learned-accepted), e.Page(learned-met))
}

// usedOnHold says whether the old credential was in use after the planned end of the window. An
// exception has a window of its own.
func (e *judging) usedOnHold(r *holdEffect, party string, planned, revoked history.Offset) {
	for _, key := range e.JudgedCells() {
		excepted := e.Limits.Excepted(key.Presenter)
		if key.Credential != e.Old || excepted != e.Limits.Excepted(party) || excepted && key.Presenter != party {
			continue
		}
		sum := e.View.Sum(key, planned+evidence.Nearly, revoked)
		if n := sum.OK + sum.AuthFailures; n > 0 && !r.sure {
			r.sure, r.who = true, key.Presenter
			r.text += fmt.Sprintf("; %s presented %s to %s %s after the window of the page: without the hold it would have been refused", key.Presenter, e.Old, key.Validator, plan.Counted(n, "time"))
		}
	}
}
