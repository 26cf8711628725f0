package rules

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/watch"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// gates holds when every enforced gate held. A gate that only observed breaks no rule: what it would
// have stopped shows in other rules, or was luck, and this rule warns of it. A thin or failing baseline
// says nothing of the rotation, which was not tried: the answer is inconclusive.
func gates(e *judging) (judge.Outcome, string, []judge.Finding) {
	var findings []judge.Finding
	enforced, noted, untried, held := false, "", "", 0
	for _, event := range e.Events {
		if event.Kind != history.KindGate {
			continue
		}
		g := event.Gate
		enforced = enforced || g.Mode == "enforce"
		_, final := e.Limits.NoWayBack(g.Phase)
		switch {
		case g.Held:
			held++
		case g.Mode == "enforce" && g.Phase == history.Baseline:
			untried = "nothing was tried: " + g.Detail
			findings = append(findings, e.tellGate(event, judge.Warning, fmt.Sprintf("the gate of %s stopped the rotation before anything was changed: %s", g.Phase, g.Detail)))
		case g.Mode == "enforce" && g.Phase == history.Verify && watch.Unreadable(e.Evidence, g.Consumer) != "":
			untried = fmt.Sprintf("nothing beyond the gate of %s was tried: %s", g.Phase, watch.Unreadable(e.Evidence, g.Consumer))
			findings = append(findings, e.tellGate(event, judge.Warning, fmt.Sprintf("the gate of %s stopped the rotation: %s", g.Phase, g.Detail)))
		case g.Mode == "enforce" && g.Untold:
			untried = fmt.Sprintf("nothing beyond the gate of %s was tried: %s", g.Phase, g.Detail)
			findings = append(findings, e.tellGate(event, judge.Warning, fmt.Sprintf("the gate of %s stopped the rotation: %s", g.Phase, g.Detail)))
		case g.Mode == "enforce" && final:
			findings = append(findings, e.tellGate(event, judge.Error, fmt.Sprintf("the gate of %s does not hold, and there is no way back: %s", g.Phase, g.Detail)))
		case g.Mode == "enforce":
			f := e.tellGate(event, judge.Error, fmt.Sprintf("the gate of %s stopped the rotation: %s", g.Phase, g.Detail))
			f.Fix += "; then rehearse again: nothing beyond this gate was tried"
			findings = append(findings, f)
		case noted == "":
			noted = fmt.Sprintf("the gate of %s would have stopped the rotation: %s", g.Phase, g.Detail)
			f := e.tellGate(event, judge.Warning, "enforced, "+noted)
			if g.Phase != history.Watch {
				f.Fix += "; enforced (gates: enforce), this gate stops the rotation before anybody is hurt"
			}
			findings = append(findings, f)
		}
	}
	switch {
	case judge.HasError(findings):
		return judge.Fail, "a gate did not hold", findings
	case untried != "":
		return judge.Inconclusive, untried, findings
	case noted != "":
		return judge.Skipped, noted, findings
	case e.unseen() != "":
		return judge.Inconclusive, e.unseen(), findings
	case enforced:
		after, never := e.shownAfter()
		if len(never) > 0 {
			return judge.Inconclusive, fmt.Sprintf("nothing tells whether %s had taken %s: no log, no canary, and too few answers to it after the emit", strings.Join(never, ", "), e.Fresh), nil
		}
		told := fmt.Sprintf("%d gates held", held)
		if len(after) > 0 {
			told += fmt.Sprintf("; %s was seen to take %s only at the emit: another time the gate cannot stop an emit that comes too soon", strings.Join(after, ", "), e.Fresh)
		}
		return judge.Pass, told, nil
	case held > 0:
		return judge.Skipped, "gates only observed; all held", nil
	case e.Limits.Gates == "enforce":
		return judge.Inconclusive, "gates are enforced, and none was evaluated", nil
	}
	return judge.Skipped, "no gate was evaluated", nil
}

// tellGate is the finding of a gate that did not hold: about the party that it names, or the one that
// caused that party's failure.
func (e *judging) tellGate(event history.Event, level judge.Level, message string) judge.Finding {
	g := event.Gate
	f := judge.Finding{
		Level: level, Consumer: g.Consumer, Validator: e.validatorName(g.Consumer), Credential: e.gateCredential(g.Phase),
		CausedBy: string(g.Phase), FirstPhase: string(g.Phase), FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
		Message: message, Fix: e.cure(*g, event.At),
	}
	if told, found := e.behindCanary(*g, event.At); found {
		f.Consumer, f.Cause, f.Fix = told.Consumer, told.Cause, told.Fix
		f.Message += ": " + told.Why
	}
	if told, found := e.behindKept(*g); found {
		f.Consumer, f.Cause, f.Fix = cmp.Or(told.Consumer, f.Consumer), cmp.Or(told.Cause, f.Cause), told.Fix
		f.Message += told.Why
	}
	return f
}

// behindKept explains why a validator took the revoked credential at the end of the watch, where
// another party or a fault caused that.
func (e *judging) behindKept(g history.Gate) (told cell.Explanation, found bool) {
	v, ok := e.Limits.Validator(g.Consumer)
	revoked, done := e.RevokedAt()
	if g.Phase != history.Watch || !ok || !done {
		return cell.Explanation{}, false
	}
	p := e.OldProbes(v, revoked)
	if p.Refused || p.Taken == 0 || len(e.brokenAt(g)) > 0 || watch.Unreadable(e.Evidence, v.Name) != "" {
		return cell.Explanation{}, false
	}
	told, found = cause.Detect(e.keptCell(v, p, revoked))
	return told, found && told.Fix != ""
}

// behindCanary explains why a validator refused the canary, where another party caused that: the
// validator is then not to blame. The bounds say that the emit came too early.
func (e *judging) behindCanary(g history.Gate, at history.Offset) (told cell.Explanation, found bool) {
	v, ok := e.Limits.Validator(g.Consumer)
	if g.Phase != history.Verify || !ok || len(e.brokenAt(g)) > 0 {
		return cell.Explanation{}, false
	}
	answer, a := e.Limits.Answered(e.View, v.Name, e.Fresh, history.Canary)
	if answer != plan.Refuses {
		return cell.Explanation{}, false
	}
	c := cell.Refusal(e.Evidence, history.CellKey{Source: e.Limits.JudgedAt, Validator: v.Name, Credential: e.Fresh}, &history.Counts{
		Attempts: a.Asked(), OK: a.Taken, AuthFailures: a.Refused, FirstFailure: a.FirstRefused, LastFailure: at,
	})
	if _, emitted := e.Done(keyring.Emit, e.Fresh); !emitted {
		c.Emitted = at // it would have been now
	}
	told, found = cause.Detect(c)
	return told, found && told.Cause != judge.CauseUnknown && told.Consumer != "" && told.Consumer != v.Name
}

// shownAfter are the validators of which nothing shows what they take before it is used: those that
// answered the new credential often enough afterwards, and those that did not.
func (e *judging) shownAfter() (after, never []string) {
	for _, v := range e.Limits.Validators {
		if !v.Untold {
			continue
		}
		var taken int64
		for _, key := range e.JudgedCells() {
			if key.Validator == v.Name && key.Credential == e.Fresh {
				taken += e.View.Sum(key, e.Start, e.End+1).OK
			}
		}
		if taken >= v.InARow() {
			after = append(after, v.Name)
		} else {
			never = append(never, v.Name)
		}
	}
	return after, never
}

// unseen says which party could not be looked at while a gate was evaluated, and when: the gate used
// earlier observations. A party that restarts for a step, and is seen again before the next gate,
// leaves nothing open.
func (e *judging) unseen() string {
	for i, event := range e.Events {
		if event.Kind == history.KindUnseen && event.Detail != "" && event.At >= e.Start && event.At < e.End && e.gateWhileUnseen(i) {
			return fmt.Sprintf("%s could not be looked at in %s: %s", event.Service, e.PhaseAt(event.At), event.Detail)
		}
	}
	return ""
}

// gateWhileUnseen reports whether a gate was evaluated, or the rotation ended, before everything about
// a service could be seen again that was lost from an event on.
func (e *judging) gateWhileUnseen(from int) bool {
	blind := 0
	for _, event := range e.Events[from:] {
		switch {
		case event.Kind == history.KindGate:
			return true
		case event.Kind != history.KindUnseen || event.Service != e.Events[from].Service:
		case event.Detail != "":
			blind++
		default:
			if blind--; blind == 0 {
				return false
			}
		}
	}
	return true
}

func (e *judging) validatorName(name string) string {
	if _, ok := e.Limits.Validator(name); ok {
		return name
	}
	return ""
}

// gateCredential is the credential that a phase's gate is about.
func (e *judging) gateCredential(phase history.Phase) string {
	switch phase {
	case history.Baseline:
		return ""
	case history.Verify, history.Emit:
		return e.Fresh
	}
	return e.Old
}
