package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// keptSessions matches where nobody new is let in with a revoked credential, and
// who is in stays in.
func keptSessions(c *cell) (explanation, bool) {
	return explanation{
		cause: CauseKeptSessions,
		fix:   fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend, KILL or CLIENT KILL): a session outlives its password, and its role too", c.old),
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
	history.Answers
	session bool // the last time that it was taken, only by a session that was made before
	// refused says that every answer since some moment refused it: of one that was seen
	// to refuse and to take it, so many in a row that no replica is left that takes it.
	refused   bool
	refusedAt history.Offset // the first refusal after which it was not taken again
}

// bySession says that it was taken to the end, and only by a session that was
// made before.
func (p presented) bySession() bool { return p.session && !p.refused }

// oldProbes are the answers to the old credential since the revoke. What a validator
// took was decided when it was asked for, or later: a slow one is not late for that.
func (e *evidence) oldProbes(v plan.Validator, revoked history.Offset) presented {
	view := history.NewView()
	var p presented
	for _, event := range e.events {
		if event.Kind != history.KindProbe || event.Service != v.Name || event.Probe.Purpose != history.OldAfter || event.At < revoked {
			continue
		}
		view.Apply(event)
		if event.Probe.Outcome == history.OK {
			p.session = event.Probe.Session
		}
	}
	p.Answers = view.Said(v.Name, e.old, history.OldAfter)
	p.refused = p.InARow >= v.InARow() || p.InARow > 0 && p.Again == 0
	p.refusedAt = p.RefusedSince
	return p
}

// keptUnderAFault matches where a fault that left evidence kept the validator itself
// from forgetting.
func keptUnderAFault(c *cell) (explanation, bool) {
	faults := c.near(c.first, c.last, c.validator.Name)
	if len(faults) == 0 {
		return explanation{}, false
	}
	mend, _ := c.mendWhatKept(c.validator.Name, "forgetting "+c.credential, c.first)
	return explanation{causedBy: faults[0].Kind, why: c.cite(faults), fix: mend}.namedAfter(faults[0]), true
}

// keptByReplicas matches where some of a validator's answers refused the revoked
// credential and others, asked for later, took it, in shares that noise does not
// explain: it is several, and not all of them forgot it.
func keptByReplicas(c *cell) (explanation, bool) {
	p := c.presented
	since := p.FirstRefused
	var taken, of int64
	keep := map[string]bool{}
	for _, event := range c.events {
		if event.Kind == history.KindProbe && event.Service == c.validator.Name && event.Probe.Purpose == history.OldAfter && event.At >= since {
			switch event.Probe.Outcome {
			case history.OK:
				taken, of = taken+1, of+1
				if at := event.Probe.Replica; at != "" {
					keep[at] = true
				}
			case history.AuthFailure:
				of++
			}
		}
	}
	usual, attempts := c.view.Usual(c.limits.Hop, c.validator.Name)
	noise := tally{usual, attempts}.share()
	if p.Again == 0 || float64(p.Again) <= 2*noise*float64(p.Asked()) {
		return explanation{}, false
	}
	name := c.validator.Name
	told := explanation{
		cause: CauseSomeReplicas,
		why: fmt.Sprintf("; %d of %d answers of %s took it after others had refused it: it is several replicas, and one of about %.0f keeps it",
			taken, of, name, max(1, float64(of)/float64(max(1, taken)))),
		fix: fmt.Sprintf("ask each replica of %s by its own address, and start anew the one that keeps %s; prove the revoke at every one", name, c.credential),
	}
	if len(keep) > 0 {
		told.why += ", at " + strings.Join(slices.Sorted(maps.Keys(keep)), " and ")
	}
	return told, true
}

// revokedAt is when the old credential was revoked.
func (e *evidence) revokedAt() (history.Offset, bool) { return e.done(string(keyring.Revoke), e.old) }
