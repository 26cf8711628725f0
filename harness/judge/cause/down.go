package cause

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// stopping are the faults that stop a service altogether.
var stopping = []string{"kill", "pause", "restart"}

// refusedBehind matches where a service gave no good answer since its own credential was refused.
func refusedBehind(c *Cell) (Explanation, bool) {
	service := c.Validator.Name
	authority, ok := c.behind(func(counts history.Counts) int64 { return counts.AuthFailures })
	if !ok {
		return Explanation{}, false
	}
	before := c.missedBefore(authority)
	if before*2 > c.Sum.Unavailable {
		return Explanation{}, false // most failures came before, and have another cause
	}
	told := c.tellRefusedBehind(service, authority)
	if !plan.Within(c.Limits.Objective, before, c.Sum.Attempts) {
		unless := ""
		if c.Limits.Attached() { // its decisions have the time at which they were read
			unless = ", unless its log is written late"
		}
		told.Why += fmt.Sprintf("; %s of these came before it was refused there, and have another cause%s", plan.Counted(before, "attempt"), unless)
	}
	return told, true
}

// missedBefore is how many first attempts failed before an authority first refused the called service.
func (c *Cell) missedBefore(authority string) int64 {
	first := c.End
	for _, key := range c.View.Keys() {
		if key.Source == c.Limits.JudgedAt && key.Presenter == cmp.Or(c.through(), c.Validator.Name) && key.Validator == authority {
			if sum := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly); sum.AuthFailures > 0 {
				first = min(first, sum.FirstFailure)
			}
		}
	}
	sum, _, _ := c.Lost(c.Presenter, c.Validator.Name, c.First, first-evidence.Nearly)
	return sum.Unavailable
}

func (c *Cell) tellRefusedBehind(service, authority string) Explanation {
	if through := c.through(); through != "" {
		return Explanation{
			Cause: judge.CauseRefusedBehind, Consumer: through,
			Why: fmt.Sprintf("%s, through which it reaches %s, presented the credential there and was refused", through, authority),
			Fix: fmt.Sprintf("fix what the finding about %s at %s says: the failures of the callers behind it follow from that", through, authority),
		}
	}
	return Explanation{
		Cause: judge.CauseRefusedBehind,
		Why:   fmt.Sprintf("%s refused the credential that %s presented", authority, service),
		Fix:   fmt.Sprintf("fix what the finding about %s at %s says: the failures of its callers follow from that", service, authority),
	}.asSaidOf(c, authority)
}

// asSaidOf points an explanation to the party that the finding about the authority's refusals names.
// Without such a finding, the refused credential is not of this rotation.
func (x Explanation) asSaidOf(c *Cell, authority string) Explanation {
	service := c.Validator.Name
	for _, key := range c.JudgedCells() {
		sum := c.View.Sum(key, c.Start, c.End+1)
		if key.Presenter != service || key.Validator != authority ||
			c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly).AuthFailures == 0 {
			continue
		}
		if f := c.Explain(key, &sum); f.Consumer != service {
			x.Fix = fmt.Sprintf("fix what the finding about %s at %s says (look at %s): the failures of its callers follow from that", service, authority, f.Consumer)
		}
		return x
	}
	if emitted, was := c.Begun(string(keyring.Emit), c.Fresh); was && c.First >= emitted-evidence.Nearly {
		x.Credential = c.Fresh // the credential that it should have presented
	}
	x.Why = fmt.Sprintf("%s refused what %s presented, and its log calls that another credential than %s and %s", authority, service, c.Old, c.Fresh)
	x.Fix = fmt.Sprintf("compare what %s has as %s with what %s has, by fingerprint: it may be cut off, quoted, end in a newline, or be of another environment; show it to %s before emitting", service, c.Fresh, authority, authority)
	return x
}

// through is the pooler that presents for the called service; "" where that presents itself.
func (c *Cell) through() string {
	client, _ := c.Limits.Client(c.Presenter)
	if client.To == c.Validator.Name {
		return client.Through
	}
	return ""
}

// absentBehind matches where a service gave no good answer since the party that it presents its
// credential to gave none. A service that was stopped itself gets no answer from anybody.
func absentBehind(c *Cell) (Explanation, bool) {
	service := c.Validator.Name
	disturbed, _ := c.FaultOn(service, c.First)
	authority, behind := c.behind(func(counts history.Counts) int64 { return counts.Unavailable })
	if !behind || slices.Contains(stopping, disturbed) {
		return Explanation{}, false
	}
	told := c.tellAbsent(service, authority)
	if kind, ok := c.FaultOn(authority, c.First); ok {
		told.CausedBy = kind
		told.Why += ": it was under the fault " + kind
	} else if r, ok := c.FaultBetween(service, authority, c.First); ok {
		told.Consumer, told.CausedBy, told.Fix = r.Target, r.Kind, mendTheWay(r, authority)
		told.Why += ": the way there was under the fault " + r.Kind
	}
	return told, true
}

// tellAbsent is an explanation by what an authority had in place of good answers: of errors it says which.
func (c *Cell) tellAbsent(service, authority string) Explanation {
	var of history.Counts
	most, status := int64(0), ""
	for _, key := range c.View.Keys() {
		if key.Source != c.Limits.JudgedAt || key.Presenter != service || key.Validator != authority {
			continue
		}
		sum := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)
		of.Attempts += sum.Attempts
		for _, is := range slices.Sorted(maps.Keys(sum.Statuses)) {
			if code, err := strconv.Atoi(is); err == nil && len(is) == 3 && code >= http.StatusBadRequest && sum.Unavailable > 0 && sum.Statuses[is] > most {
				most, status = sum.Statuses[is], is
			}
		}
	}
	told := Explanation{Cause: judge.CauseServiceDown, Consumer: authority, Why: fmt.Sprintf("%s, to which %s presents the credential, gave no answer", authority, service)}
	if most > 0 {
		told.Cause, told.Why = judge.CauseFailing, fmt.Sprintf("%s, to which %s presents the credential, answered %s to %d of %s", authority, service, status, most, plan.Counted(of.Attempts, "attempt"))
		told.Fix = fmt.Sprintf("find out why %s answers that, and rotate only when it no longer does", authority)
	}
	if status == tooMany {
		told.Cause = judge.CauseTurnedAway
		told.Fix = fmt.Sprintf("have %s call %s less often, or have the limit raised: it is below the rate of %s, with any credential", service, authority, service)
	}
	return told
}

// cutOffWay matches where an emitter had no answer from the party that it presents to while a fault was
// in effect between them.
func cutOffWay(c *Cell) (Explanation, bool) {
	r, ok := c.FaultBetween(c.Presenter, c.Validator.Name, c.First)
	if !ok {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseServiceDown, CausedBy: r.Kind, Consumer: r.Target,
		Why: "the way " + r.Target + " was disturbed" + c.Cite([]judge.FaultReport{r}), Fix: mendTheWay(r, c.Validator.Name),
	}, true
}

// mendTheWay is the cure for a fault on the way to a party.
func mendTheWay(r judge.FaultReport, party string) string {
	return fmt.Sprintf("mend the way %s, or rehearse what should happen when it is disturbed: %s and the credential are not at fault", r.Target, party)
}

// behind is the authority at which the called service itself fared badly meanwhile, by a count of its
// presentations there.
func (c *Cell) behind(badly func(history.Counts) int64) (authority string, ok bool) {
	service := cmp.Or(c.through(), c.Validator.Name)
	for _, key := range c.View.Keys() { // also what cannot be attributed to a credential, such as a wrong signature
		if key.Source == c.Limits.JudgedAt && key.Presenter == service && key.Validator != service &&
			badly(c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)) > 0 {
			return key.Validator, true
		}
	}
	return "", false
}

// faultAtTheService matches where a service was under a fault when it began to
// give no answer.
func faultAtTheService(c *Cell) (Explanation, bool) {
	kind, ok := c.FaultOn(c.Validator.Name, c.First)
	return Explanation{CausedBy: kind, Why: "it was under the fault " + kind}, ok
}

// exited matches where a service had ended.
func exited(c *Cell) (Explanation, bool) {
	at, ok := c.View.Exited[c.Validator.Name]
	return Explanation{Why: "it ended at " + at.String()}, ok
}

// replacing bounds the time between a new instance's first answer and the end of the old one, which is
// when the replacement is recorded.
const replacing = history.Offset(5 * time.Second)

// renewing matches where a service gave no answer while it was made to take what was published.
func renewing(c *Cell) (Explanation, bool) {
	how, at := c.renewed()
	if how == "" {
		return Explanation{}, false
	}
	return Explanation{
		Why: fmt.Sprintf("it was %s at %s, to take what was published", how, at),
		Fix: fmt.Sprintf("let %s answer the requests that it has begun before it ends (drain), and start the new process before the old one ends", c.Validator.Name),
	}, true
}

// renewed is how and when the service was made to take what was published, where the cell may suffer
// from that; how is empty where it was not.
func (c *Cell) renewed() (how string, at history.Offset) {
	for _, event := range c.Events {
		if event.Kind != history.KindDelivered || event.Service != c.Validator.Name ||
			event.At < c.First-evidence.Nearly || event.At > c.First+replacing {
			continue
		}
		switch event.What {
		case runbook.Env:
			return "restarted", event.At
		case history.Reload:
			return "made to reload", event.At
		}
	}
	return "", 0
}
