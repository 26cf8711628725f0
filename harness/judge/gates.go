package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// gates holds when every enforced gate held. A gate that only observed breaks
// no rule: what it would have stopped shows in the other rules, or was luck this
// time, and this one warns of it. A baseline that says too little, or fails already,
// says nothing of the rotation, which was not tried: then nobody can tell.
func gates(e *evidence) (Outcome, string, []Finding) {
	var findings []Finding
	enforced, noted, untried, held := false, "", "", 0
	for _, event := range e.events {
		if event.Kind != history.KindGate {
			continue
		}
		g := event.Gate
		enforced = enforced || g.Mode == "enforce"
		switch {
		case g.Held:
			held++
		case g.Mode == "enforce" && g.Phase == history.Baseline:
			untried = "nothing was tried: " + g.Detail
			findings = append(findings, Finding{
				Level: Warning, Consumer: g.Consumer, Validator: e.validatorName(g.Consumer),
				CausedBy: string(g.Phase), FirstPhase: string(g.Phase), FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("the gate of %s stopped the rotation before anything was changed: %s", g.Phase, g.Detail),
				Fix:     "mend what fails already, or send more, then rehearse again",
			})
		case g.Mode == "enforce":
			findings = append(findings, Finding{
				Level: Error, Consumer: g.Consumer, Validator: e.validatorName(g.Consumer), Credential: e.gateCredential(g.Phase),
				CausedBy: string(g.Phase), FirstPhase: string(g.Phase), FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("the gate of %s stopped the rotation: %s", g.Phase, g.Detail),
				Fix:     e.cure(*g) + "; then rehearse again: nothing beyond this gate was tried",
			})
		case noted == "":
			noted = fmt.Sprintf("the gate of %s would have stopped it: %s", g.Phase, g.Detail)
			fix := e.cure(*g)
			if g.Phase != history.Watch {
				fix += "; enforced (gates: enforce), this gate stops the rotation before anybody is hurt, and not by luck"
			}
			findings = append(findings, Finding{
				Level: Warning, Consumer: g.Consumer, Validator: e.validatorName(g.Consumer), Credential: e.gateCredential(g.Phase),
				CausedBy: string(g.Phase), FirstPhase: string(g.Phase), FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("enforced, %s", noted),
				Fix:     fix,
			})
		}
	}
	switch {
	case hasError(findings):
		return Fail, "a gate did not hold", findings
	case untried != "":
		return Inconclusive, untried, findings
	case noted != "":
		return Skipped, noted, findings
	case e.unseen() != "":
		return Inconclusive, e.unseen(), findings
	case enforced:
		return Pass, fmt.Sprintf("%d gates held", held), nil
	case held > 0:
		return Skipped, "gates only observed; all held", nil
	case e.limits.Gates == "enforce":
		return Inconclusive, "gates are enforced, and none was evaluated", nil
	}
	return Skipped, "no gate was evaluated", nil
}

// unseen says who could not be looked at from outside while gates were held, and
// when: they held by what had been seen before.
func (e *evidence) unseen() string {
	for _, event := range e.events {
		if event.Kind == history.KindUnseen && event.Detail != "" && event.At >= e.start && event.At < e.end {
			return fmt.Sprintf("%s could not be looked at in %s: %s", event.Service, e.phaseAt(event.At), event.Detail)
		}
	}
	return ""
}

func (e *evidence) validatorName(name string) string {
	if _, there := e.limits.Validator(name); there {
		return name
	}
	return ""
}

// gateCredential is the credential that a phase's gate is about.
func (e *evidence) gateCredential(phase history.Phase) string {
	switch phase {
	case history.Verify, history.Emit:
		return e.fresh
	}
	return e.old
}
