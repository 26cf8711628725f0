package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// steps holds when each step was taken that a team's system was asked for. The rule rollback tells of a
// failed step that turned the rotation back.
func steps(e *judging) (judge.Outcome, string, []judge.Finding) {
	var findings []judge.Finding
	taken := 0
	for _, event := range e.Events {
		switch {
		case event.Kind != history.KindStep || event.Phase == "":
		case event.Detail == "":
			taken++
		default:
			findings = append(findings, judge.Finding{
				Level: judge.Error, Credential: event.Credential, CausedBy: event.Step, FirstPhase: string(event.Phase),
				FirstMS: evidence.Began(event).Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("the step %s of %s failed: %s", event.Step, event.Credential, event.Detail),
				Fix:     "mend the step, and try it by itself; what it printed is in logs/steps.log",
			})
		}
	}
	turned := slices.ContainsFunc(e.Decisions, func(d history.Event) bool { return d.Decision.Action == history.ActionRollBack })
	switch {
	case len(findings) > 0 && turned:
		return judge.Skipped, "told by the way back: " + findings[0].Message, nil
	case len(findings) > 0:
		return judge.Fail, findings[0].Message, findings
	case taken == 0:
		return judge.Skipped, "none was taken", nil
	}
	return judge.Pass, fmt.Sprintf("%d steps were taken", taken), nil
}

// left are the steps that are still to be taken by hand.
func (e *judging) left() (all []judge.LeftStep) {
	for _, event := range e.Events {
		if event.Kind == history.KindLeft {
			all = append(all, judge.LeftStep{Step: event.Step, Credential: event.Credential, Identifier: event.Identifier, Does: event.Detail})
		}
	}
	return all
}

// tellLeft says in one line each what is left, in its order.
func tellLeft(all []judge.LeftStep) string {
	said := make([]string, len(all))
	for i, s := range all {
		said[i] = fmt.Sprintf("%d. %s %s, known as %s: %s", i+1, s.Step, s.Credential, s.Identifier, s.Does)
	}
	return strings.Join(said, "; ")
}
