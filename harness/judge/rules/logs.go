package rules

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// logs lists the consumers whose logs do not say which credential was taken or refused: people who look
// for the last use of the old one need that. It fails nobody: the rehearsal has other sources.
func logs(e *judging) (judge.Outcome, string, []judge.Finding) {
	switch {
	case !slices.Contains(e.Limits.Checks, "logs"):
		return judge.Skipped, "the page does not ask for it", nil
	case !e.Has[history.KindLogged]:
		if _, lacks := e.Limits.Lacks("logs"); lacks {
			return judge.Inconclusive, "no log was looked at", nil
		}
		return judge.Skipped, "no log was looked at", nil
	}
	var findings []judge.Finding
	for _, event := range e.Events {
		if event.Kind != history.KindLogged {
			continue
		}
		taken, refused := e.decided(event.Service)
		onSuccess, onFailure := taken && !event.Logged.Success, refused && !event.Logged.Failure
		var when string
		switch {
		case onSuccess && onFailure:
			when = "taken, nor of one that is refused"
		case onSuccess:
			when = "taken"
		case onFailure:
			when = "refused"
		default:
			continue
		}
		findings = append(findings, judge.Finding{
			Level: judge.Warning, Consumer: event.Service, Validator: e.validatorName(event.Service), LastMS: e.End.Milliseconds(),
			Message: fmt.Sprintf("%s does not log the identifier of a credential that is %s", event.Service, when),
			Fix:     fmt.Sprintf("make %s log the identifier (kid, tag, user) with every decision: the last user of an old credential is found by it", event.Service),
		})
	}
	if len(findings) > 0 {
		return judge.Skipped, "some consumers do not log which credential it was", findings
	}
	return judge.Pass, "every consumer logs which credential it took or refused, as far as was seen", nil
}

// decided reports whether a party took, or was shown to have refused, a credential; for a presenter,
// whether its presentations were.
func (e *judging) decided(service string) (taken, refused bool) {
	for _, key := range e.View.Keys() {
		if key.Credential == "" || key.Validator != service && key.Presenter != service {
			continue
		}
		sum := e.View.Sum(key, 0, e.View.Now+1)
		taken, refused = taken || sum.OK > 0, refused || sum.AuthFailures > 0
	}
	for _, event := range e.Events {
		if event.Kind == history.KindProbe && event.Service == service && event.Probe.Purpose != history.Control {
			taken = taken || event.Probe.Outcome == history.OK
			refused = refused || event.Probe.Outcome == history.AuthFailure
		}
	}
	return taken, refused
}
