package cause

import (
	"fmt"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// takesMadeUp reports whether a validator, when it had taken the old credential to
// the end, was shown what nobody gave and took that too.
func (e *Case) takesMadeUp(validator string) bool {
	return e.View.Said(validator, e.Old, history.MadeUp).Taken > 0
}

// wasSeenRefusing reports whether any answer of a validator was a refusal: that its log
// tells of some says nothing of what it answers to them.
func (e *Case) wasSeenRefusing(validator string) bool {
	for key, answers := range e.View.Answers {
		if key.Validator == validator && answers.Refused > 0 {
			return true
		}
	}
	for _, key := range e.View.Keys() {
		if sum := e.View.Sum(key, 0, e.End+1); key.Validator == validator && key.Source != history.FromAuthority && sum.AuthFailures > 0 {
			return true
		}
	}
	return false
}

// Unreadable says of a validator that answers what nobody gave as it answers
// everything else, and was never seen to refuse: it checks nothing, or its refusals
// are none that can be read as such, as a redirect to a login page or an error in a
// 200. Nobody can tell then whether it refused anybody. "" where that is not so.
func (e *Case) Unreadable(validator string) string {
	if !e.takesMadeUp(validator) || e.wasSeenRefusing(validator) {
		return ""
	}
	return fmt.Sprintf("%s answered %s to a credential that nobody issued, as to everything else: nothing shows how it refuses, or whether it refused anybody; "+
		"say it in the scenario, services.%s.refusal: a status, a header (\"Location: /login\") or a part of the body; or it lets everybody in%s",
		validator, e.View.Said(validator, e.Old, history.MadeUp).Last.Status, validator, e.openUnderAFault(validator))
}

// openUnderAFault is the half sentence about a fault that kept a validator from its keys when
// it took what nobody gave: it may let everybody in for as long as it has none.
func (e *Case) openUnderAFault(validator string) string {
	v, _ := e.Limits.Validator(validator)
	for _, event := range e.Events {
		if event.Kind != history.KindProbe || event.Service != validator || event.Probe.Purpose != history.MadeUp {
			continue
		}
		if r, cut := (&Cell{Case: e, Validator: v}).cutFromSource(event.At-evidence.Nearly, event.At); cut {
			return ", perhaps only while it gets no keys" + e.Cite([]judge.FaultReport{r})
		}
	}
	return ""
}

// SayRefusal is the half sentence about how a scenario says that a status is a refusal, of
// a service of which it can be said.
func (e *Case) SayRefusal(service, status string) string {
	if _, err := strconv.Atoi(status); err != nil || status == tooMany {
		return ""
	}
	return fmt.Sprintf("; if that is how %s refuses, say it in the scenario (services.%s.refusal: {statuses: [%s]}), and rehearse again", service, service, status)
}

// UnreadableRefusals is unreadable of the first validator of which it is so.
func (e *Case) UnreadableRefusals() string {
	for _, v := range e.Limits.Validators {
		if why := e.Unreadable(v.Name); why != "" {
			return why
		}
	}
	return ""
}

// takesAnything matches where a validator that was seen to refuse takes what nobody
// gave too.
func takesAnything(c *Cell) (Explanation, bool) {
	name := c.Validator.Name
	return Explanation{
		Cause: judge.CauseTakesAnything,
		Why:   "; it takes what nobody gave, too",
		Fix:   fmt.Sprintf("find out what %s lets in without checking it, and since when, and close that first: it has nothing to do with the rotation", name),
	}, c.takesMadeUp(name)
}
