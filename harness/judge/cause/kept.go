package cause

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// keptSessions matches where a revoked credential opens no new session, and old sessions live on.
func keptSessions(c *Cell) (Explanation, bool) {
	return Explanation{
		Cause: judge.CauseKeptSessions,
		Fix:   fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend, KILL, CLIENT KILL, or closing them by the management API of a broker): a session outlives its password, and its role too", c.Old),
	}, c.Presented.BySession()
}

// publishedForTooLong matches where an emitter whose set the validator gets published the revoked
// credential for longer than the page says, or to the end.
func publishedForTooLong(c *Cell) (Explanation, bool) {
	v, revoked := c.Validator, c.First
	late, ended := c.withdrew(v, revoked)
	for _, other := range c.partiesBehind(c.nearest()) {
		if late == 0 && c.answersFor(c.nearest(), other) {
			v.From = other
			late, ended = c.withdrew(v, revoked)
		}
	}
	if late == 0 {
		return Explanation{}, false
	}
	told := Explanation{Cause: judge.CauseLatePublish, Consumer: v.From, Fix: c.fixPublishing(v, revoked)}
	if ended {
		told.Why = fmt.Sprintf("; %s went on publishing it for %s", v.From, c.Page(late))
		return told, true
	}
	kind, disturbed := c.FaultOn(v.From, revoked)
	at, exited := c.View.Exited[v.From]
	back := slices.ContainsFunc(c.Events, func(event history.Event) bool {
		return event.Kind == history.KindPublished && event.Service == v.From && event.At > at
	})
	if !disturbed && (!exited || back) {
		told.Why = fmt.Sprintf("; %s never stopped publishing it", v.From)
		return told, true
	}
	told.Cause = judge.CauseServiceDown
	told.Fix = fmt.Sprintf("bring %s back before the revoke: a validator that cannot fetch keeps the set that it has", v.From)
	told.Why = fmt.Sprintf("; %s, which had to withdraw it, was not there", v.From)
	if disturbed {
		told.CausedBy = kind
		told.Why += ": it was under the fault " + kind
	} else {
		told.Why += ": it ended at " + at.String()
	}
	return told, true
}

// withdrew is how long after the revoke a validator's emitter published the old credential; 0 where
// that is what the page allows.
func (e *Case) withdrew(v plan.Validator, revoked history.Offset) (late history.Offset, ended bool) {
	until, ended := e.publishedUntil(v.From, revoked)
	if late = until - revoked; late <= history.Offset(e.Limits.Wall(e.Limits.Publishing(v)))+evidence.Nearly {
		late = 0
	}
	return late, ended
}

// publishedUntil is when an emitter first published a set without the old credential after the revoke;
// false, with the end of the run, where it never did. An emitter whose publications nobody sees is not
// blamed.
func (e *Case) publishedUntil(emitter string, revoked history.Offset) (until history.Offset, ended bool) {
	if _, says := e.View.Published[emitter]; !says {
		return revoked, true
	}
	for _, event := range e.Events {
		if event.Kind == history.KindPublished && event.Service == emitter && event.At >= revoked && !slices.Contains(event.Credentials, e.Old) {
			return event.At, true
		}
	}
	if !slices.Contains(e.View.Published[emitter], e.Old) {
		return revoked, true // it had stopped before
	}
	return e.End, false
}

// fixPublishing is the cure for an emitter that does not publish what it is told to, from a moment on.
func (e *Case) fixPublishing(v plan.Validator, since history.Offset) string {
	if mend, kept := e.MendWhatKept(v.From, "what the store has", since); kept {
		return mend
	}
	if e.Limits.Attached() {
		return fmt.Sprintf("have the step that revokes take %s out of the key set that %s publishes, and look there whether it did", e.Old, v.From)
	}
	return fmt.Sprintf("make %s read the store every %s as the page says", v.From, plan.Text(e.Limits.Publishing(v)))
}

// Presented sums up a validator's answers to the old credential after the revoke.
type Presented struct {
	history.Answers
	session bool // its last acceptance was by a session from before
	// Refused says that every answer from some moment on refused it: after mixed answers, so many in a
	// row that no replica is left that takes it.
	Refused   bool
	RefusedAt history.Offset // the first refusal after which it was not taken again
}

// BySession reports whether only a session from before the revoke took it to the end.
func (p Presented) BySession() bool { return p.session && !p.Refused }

// OldProbes sums up the answers to the old credential since the revoke. An answer counts from when it
// was asked for: a slow answer is no late refusal.
func (e *Case) OldProbes(v plan.Validator, revoked history.Offset) Presented {
	var p Presented
	for _, event := range e.About(v.Name) {
		if event.Kind != history.KindProbe || event.Probe.Purpose != history.OldAfter || event.At < revoked {
			continue
		}
		if event.Credential == e.Old {
			p.Add(event.At, event.Probe)
		}
		if event.Probe.Outcome == history.OK {
			p.session = event.Probe.Session
		}
	}
	p.Refused = p.InARow >= v.InARow() || p.InARow > 0 && p.Again == 0
	p.RefusedAt = p.RefusedSince
	return p
}

// keptUnderAFault matches where a fault that left evidence kept the validator from forgetting.
func keptUnderAFault(c *Cell) (Explanation, bool) {
	faults := c.Near(c.First, c.Last, c.Validator.Name)
	if len(faults) == 0 {
		return Explanation{}, false
	}
	mend, _ := c.MendWhatKept(c.Validator.Name, "forgetting "+c.Credential, c.First)
	told := Explanation{CausedBy: faults[0].Kind, Why: c.Cite(faults), Fix: mend}.namedAfter(faults[0])
	if faults[0].From != "" {
		told.Consumer = faults[0].Target // the way is at fault, and neither of its ends
	}
	return told, true
}

// keptByReplicas matches where some answers of a validator refused the revoked credential and later
// ones took it, more often than noise explains: it has replicas, and not all have forgotten it.
func keptByReplicas(c *Cell) (Explanation, bool) {
	p := c.Presented
	since := p.FirstRefused
	var taken, of int64
	keep := map[string]bool{}
	for _, event := range c.About(c.Validator.Name) {
		if event.Kind == history.KindProbe && event.Probe.Purpose == history.OldAfter && event.At >= since {
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
	usual, attempts := c.View.Usual(c.Limits.JudgedAt, c.Validator.Name)
	noise := evidence.Tally{Bad: usual, Of: attempts}.Share()
	if p.Again == 0 || float64(p.Again) <= 2*noise*float64(p.Asked()) {
		return Explanation{}, false
	}
	name := c.Validator.Name
	keepers := fmt.Sprintf("one of about %.0f keeps", float64(of)/float64(max(1, taken)))
	if 3*taken > 2*of { // not even one of two
		keepers = "most of them keep"
	}
	told := Explanation{
		Cause: judge.CauseSomeReplicas,
		Why: fmt.Sprintf("; %d of %d answers of %s took it after others had refused it: it is several replicas, and %s it",
			taken, of, name, keepers),
		Fix: fmt.Sprintf("ask each replica of %s by its own address, and restart the one that keeps %s; prove the revoke at every one", name, c.Credential),
	}
	if c.Validator.Authority { // whose replicas are seldom the team's to ask or to restart
		told.Fix = fmt.Sprintf("ask whoever runs %s which of its servers takes %s, and for how long after a revoke; have it revoked there too, or write that time on the page and watch for longer", name, c.Credential)
	}
	if caches, forgot := c.cachesWithout(); 0 < forgot && forgot < caches {
		told.Why += fmt.Sprintf("; %d of its %d, by what they fetch, had fetched the set without it by then", forgot, caches)
		told.Fix = fmt.Sprintf("find out how often each replica of %s fetches, write that on the page (forgets_within: more than %s) and watch for longer than that; restart the one that never fetches", name, c.Page(c.Last-c.First))
	}
	if len(keep) > 0 {
		told.Why += ", at " + strings.Join(slices.Sorted(maps.Keys(keep)), " and ")
	}
	return told, true
}

// cachesWithout is how many caches the validator has, and how many of them may have fetched the set
// without the old credential since the revoke.
func (c *Cell) cachesWithout() (caches, without int) {
	caches, _ = c.caches()
	for _, fetch := range c.Fetches(c.Validator.Name, c.First, c.Last) {
		if !slices.Contains(fetch.Credentials, c.Old) && !slices.Contains(fetch.Holds, c.Old) {
			without++
		}
	}
	return caches, without
}

// RevokedAt is when the old credential was revoked.
func (e *Case) RevokedAt() (history.Offset, bool) { return e.Done(string(keyring.Revoke), e.Old) }
