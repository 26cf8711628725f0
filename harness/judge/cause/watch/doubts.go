package watch

import (
	"cmp"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// madeUp are a validator's answers to a credential that nobody issued, shown to it after it took the
// old credential to the end or, beside one that it took, with a spoilt signature.
func madeUp(e *evidence.Evidence, validator string) history.Answers {
	if a := e.View.Said(validator, e.Old, history.MadeUp); a.Taken > 0 {
		return a
	}
	return e.View.Said(validator, "", history.Control)
}

// TakesSpoilt says that a validator which is known to refuse took a credential with its signature or
// value spoilt, so that it checked nothing then; "" where that is not so.
func TakesSpoilt(e *evidence.Evidence, validator string) string {
	a := e.View.Said(validator, "", history.Control)
	if a.Taken == 0 || !wasSeenRefusing(e, validator) {
		return ""
	}
	return fmt.Sprintf("%s took a %s, %d of %d times, last in %s%s: it checks nothing, so its answers do not show whether it has learned the new credential or forgotten the old one",
		validator, a.Last.Presentation, a.Taken, a.Asked(), e.PhaseAt(a.LastAsked), openUnderAFault(e, validator))
}

// wasSeenRefusing reports whether any answer of a validator was a refusal. A refusal in its log only
// does not show how it answers.
func wasSeenRefusing(e *evidence.Evidence, validator string) bool {
	for key, answers := range e.View.Answers {
		if key.Validator == validator && answers.Refused > 0 {
			return true
		}
	}
	for _, key := range e.View.Keys() {
		if sum := e.View.Sum(key, 0, e.End+1); key.Validator == validator && key.Source != history.FromAuthority && key.Source != history.FromConsumer && sum.AuthFailures > 0 {
			return true
		}
	}
	return false
}

// Unreadable says that a validator answers a made-up credential like any other and was never seen to
// refuse: it checks nothing, or its refusals do not read as such (a redirect to a login page, an error
// in a 200). Nobody can tell then whether it refused anybody. "" where that is not so.
func Unreadable(e *evidence.Evidence, validator string) string {
	if madeUp(e, validator).Taken == 0 || wasSeenRefusing(e, validator) || letsNameIn(e, validator) {
		return ""
	}
	say := fmt.Sprintf("nothing shows how it refuses, or whether it refused anybody; say it in the scenario, services.%s.refusal: a status, a header (\"Location: /login\") or a part of the body", validator)
	if e.SaysHow(validator) {
		say = fmt.Sprintf("no answer of it was one that services.%s.refusal calls a refusal, and nothing shows whether it refused anybody; correct what the scenario says there", validator)
	}
	return fmt.Sprintf("%s answered %s to a credential that nobody issued, as to everything else: %s; or it lets everybody in%s%s",
		validator, madeUp(e, validator).Last.Status, say, openUnderAFault(e, validator), refusedByItsLog(e, validator))
}

// refusedByItsLog is the half sentence about a validator that answers before it checks, as one with a
// queue: its log tells of refusals while both credentials were valid and the harness showed it only
// valid ones.
func refusedByItsLog(e *evidence.Evidence, validator string) string {
	emitted, emits := e.Begun(keyring.Emit, e.Fresh)
	revoked, revokes := e.Begun(keyring.Revoke, e.Old)
	if !revokes {
		revoked = e.End
	}
	var n int64
	for _, key := range e.View.Keys() {
		if key.Validator == validator && key.Source == history.FromConsumer && emits {
			sum := e.View.Sum(key, emitted, revoked)
			n += sum.AuthFailures
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; its log tells of %s between the emit and the revoke: it answers before it checks, so the presenter does not learn of them", plan.Counted(n, "refusal"))
}

// letsNameIn reports whether a server with logins let the name of the new credential in with a made-up
// value.
func letsNameIn(e *evidence.Evidence, validator string) bool {
	return e.View.Said(validator, e.Fresh, history.MadeUp).Taken > 0
}

// TakesAnyValue says that a server lets the name of the new credential in with any value: nothing shows
// then who has the right one. "" where that was not seen.
func TakesAnyValue(e *evidence.Evidence) string {
	for _, v := range e.Limits.Validators {
		if letsNameIn(e, v.Name) {
			return fmt.Sprintf("%s let the login of %s in with a password that nobody issued: it does not check passwords, at least not from this address (trust in pg_hba.conf, nopass in Redis, a user without a password), so nothing shows who has the right one; have it ask for passwords as production does, and rehearse again",
				v.Name, e.Fresh)
		}
	}
	return ""
}

// openUnderAFault is the half sentence about a fault that kept a validator from its keys when it took a
// made-up credential: it may let everybody in only while it has none.
func openUnderAFault(e *evidence.Evidence, validator string) string {
	v, _ := e.Limits.Validator(validator)
	for _, event := range e.Events {
		if event.Kind != history.KindProbe || event.Service != validator || !event.Probe.Purpose.Invented() || event.Probe.Outcome != history.OK {
			continue
		}
		if r, cut := (&cell.Cell{Evidence: e, Validator: v}).CutFromSource(event.At-evidence.Nearly, event.At); cut {
			return ", perhaps only while it gets no keys" + e.Cite([]judge.FaultReport{r})
		}
	}
	return ""
}

// ChecksNothing is Unreadable or TakesSpoilt of the first validator for which either holds: that such a
// one refused nobody says nothing of the rotation.
func ChecksNothing(e *evidence.Evidence) string {
	for _, v := range e.Limits.Validators {
		if why := cmp.Or(Unreadable(e, v.Name), TakesSpoilt(e, v.Name)); why != "" {
			return why
		}
	}
	return ""
}

// TakesAnything matches where a validator that was seen to refuse also takes made-up credentials.
func TakesAnything(c *cell.Cell) (cell.Explanation, bool) {
	name, why := c.Validator.Name, "; it takes a credential that nobody issued, too"
	if spoilt := c.View.Said(name, "", history.Control); spoilt.Taken == 0 && spoilt.Refused > 0 {
		why += fmt.Sprintf(", and refused a %s: it lets in whatever is signed with a key that it does not know", spoilt.Last.Presentation)
	}
	return cell.Explanation{Cause: judge.CauseTakesAnything, Why: why + openUnderAFault(c.Evidence, name), Fix: CloseFirst(name)}, madeUp(c.Evidence, name).LastTaken > c.First
}

// CloseFirst is the cure for a validator that takes made-up credentials.
func CloseFirst(validator string) string {
	return fmt.Sprintf("find out since when %s lets requests in unchecked, and mend that first: the rotation did not cause it", validator)
}
