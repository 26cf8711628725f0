package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// keptSessions matches where nobody new is let in with a revoked credential, and
// who is in stays in.
func keptSessions(c *cell) (explanation, bool) {
	return explanation{
		cause: CauseKeptSessions,
		fix:   fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend on those of its role): a session outlives its password, and its role too", c.old),
	}, c.presented.bySession()
}

// publishedForTooLong matches where the emitter went on publishing the revoked
// credential for longer than the page says, or to the end.
func publishedForTooLong(c *cell) (explanation, bool) {
	v, revoked := c.validator, c.first
	until, ended := c.publishedUntil(v.From, revoked)
	late := until - revoked
	if late <= history.Offset(c.limits.Wall(c.limits.Publishing(v)))+history.Offset(nearly) {
		return explanation{}, false
	}
	told := explanation{cause: CauseLatePublish, consumer: v.From, fix: c.fixPublishing(v, revoked)}
	if ended {
		told.why = fmt.Sprintf("; %s went on publishing it for %s", v.From, c.page(late))
		return told, true
	}
	kind, disturbed := c.faultOn(v.From, revoked)
	at, exited := c.view.Exited[v.From]
	back := slices.ContainsFunc(c.events, func(event history.Event) bool {
		return event.Kind == history.KindPublished && event.Service == v.From && event.At > at
	})
	if !disturbed && (!exited || back) {
		told.why = fmt.Sprintf("; %s never stopped publishing it", v.From)
		return told, true
	}
	told.cause = CauseServiceDown
	told.fix = fmt.Sprintf("bring %s back before the revoke: who cannot fetch keeps the set that it has", v.From)
	told.why = fmt.Sprintf("; %s, which had to withdraw it, was not there", v.From)
	if disturbed {
		told.causedBy = kind
		told.why += ": it was under the fault " + kind
	} else {
		told.why += ": it ended at " + at.String()
	}
	return told, true
}

// publishedUntil is when an emitter first published a set without the old
// credential after the revoke; where it never did (false), the end of the run.
// An emitter that says nothing of what it publishes cannot be blamed for it.
func (e *evidence) publishedUntil(emitter string, revoked history.Offset) (until history.Offset, ended bool) {
	if _, says := e.view.Published[emitter]; !says {
		return revoked, true
	}
	for _, event := range e.events {
		if event.Kind == history.KindPublished && event.Service == emitter && event.At >= revoked && !slices.Contains(event.Credentials, e.old) {
			return event.At, true
		}
	}
	if !slices.Contains(e.view.Published[emitter], e.old) {
		return revoked, true // it had stopped before
	}
	return e.end, false
}

// fixPublishing is how an emitter comes to publish what it is told to, after a moment.
func (e *evidence) fixPublishing(v plan.Validator, since history.Offset) string {
	if mend, kept := e.mendWhatKept(v.From, "what the store has", since); kept {
		return mend
	}
	return fmt.Sprintf("make %s read the store every %s as the page says", v.From, plan.Text(e.limits.Publishing(v)))
}

// presented is what became of the old credential at one validator after the revoke.
type presented struct {
	taken     int64 // how often it was still taken
	lastTaken history.Offset
	session   bool // the last time, only by a session that was made before
	refused   bool
	refusedAt history.Offset // the first refusal after which it was not taken again
	unshown   string         // why it could not be shown, the last time that it could not
}

// bySession says that it was taken to the end, and only by a session that was
// made before.
func (p presented) bySession() bool { return p.session && !p.refused }

func (e *evidence) oldProbes(validator string, revoked history.Offset) presented {
	var p presented
	for _, event := range e.events {
		if event.Kind != history.KindProbe || event.Service != validator || event.Probe.Purpose != history.OldAfter || event.At < revoked {
			continue
		}
		switch event.Probe.Outcome {
		case history.OK:
			p.taken++
			p.lastTaken, p.refused, p.session = event.At, false, event.Probe.Session
		case history.HarnessError:
			p.unshown = event.Probe.Status
		case history.AuthFailure:
			if !p.refused {
				p.refused, p.refusedAt = true, event.At
			}
		}
	}
	return p
}

// revokedAt is when the old credential was revoked.
func (e *evidence) revokedAt() (history.Offset, bool) { return e.done(string(keyring.Revoke), e.old) }
