package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// KeptSessions matches where a revoked credential opens no new session, and old sessions live on.
func KeptSessions(c *cell.Cell) (cell.Explanation, bool) {
	return cell.Explanation{
		Cause: judge.CauseKeptSessions,
		Fix:   fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend, KILL, CLIENT KILL, or closing them by the management API of a broker): a session outlives its password, and its role too", c.Old),
	}, c.Presented.BySession()
}

// PublishedForTooLong matches where an emitter whose set the validator gets published the revoked
// credential for longer than the page says, or to the end.
func PublishedForTooLong(c *cell.Cell) (cell.Explanation, bool) {
	v, revoked := c.Validator, c.First
	late, ended := withdrew(c.Evidence, v, revoked)
	for _, other := range c.PartiesBehind(c.Nearest()) {
		if late == 0 && answersFor(c.Evidence, c.Nearest(), other) {
			v.From = other
			late, ended = withdrew(c.Evidence, v, revoked)
		}
	}
	if late == 0 {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{Cause: judge.CauseLatePublish, Consumer: v.From, Fix: fixPublishing(c.Evidence, v, revoked)}
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
		told.Why += ": it ended at " + c.Moment(at)
	}
	return told, true
}

// withdrew is how long after the revoke a validator's emitter published the old credential; 0 where
// that is what the page allows.
func withdrew(e *evidence.Evidence, v plan.Validator, revoked history.Offset) (late history.Offset, ended bool) {
	until, ended := publishedUntil(e, v.From, revoked)
	if late = until - revoked; late <= history.Offset(e.Limits.Wall(e.Limits.Publishing(v)))+evidence.Nearly {
		late = 0
	}
	return late, ended
}

// publishedUntil is when an emitter first published a set without the old credential after the revoke;
// false, with the end of the run, where it never did. An emitter whose publications nobody sees is not
// blamed.
func publishedUntil(e *evidence.Evidence, emitter string, revoked history.Offset) (until history.Offset, ended bool) {
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
func fixPublishing(e *evidence.Evidence, v plan.Validator, since history.Offset) string {
	if mend, kept := e.MendWhatKept(v.From, "what the store has", since); kept {
		return mend
	}
	if e.Limits.Attached() {
		return fmt.Sprintf("have the step that revokes take %s out of the key set that %s publishes, and look there whether it did", e.Old, v.From)
	}
	return fmt.Sprintf("make %s read the store every %s as the page says", v.From, plan.Text(e.Limits.Publishing(v)))
}

// KeptUnderAFault matches where a fault that left evidence kept the validator from forgetting.
func KeptUnderAFault(c *cell.Cell) (cell.Explanation, bool) {
	faults := c.Near(c.First, c.Last, c.Validator.Name)
	if len(faults) == 0 {
		return cell.Explanation{}, false
	}
	mend, _ := c.MendWhatKept(c.Validator.Name, "forgetting "+c.Credential, c.First)
	told := cell.Explanation{CausedBy: faults[0].Kind, Why: c.Cite(faults), Fix: mend}.NamedAfter(faults[0])
	if faults[0].From != "" {
		told.Consumer = faults[0].Target // the way is at fault, and neither of its ends
	}
	return told, true
}

// KeptByReplicas matches where some answers of a validator refused the revoked credential and later
// ones took it, more often than noise explains: it has replicas, and not all have forgotten it.
func KeptByReplicas(c *cell.Cell) (cell.Explanation, bool) {
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
		return cell.Explanation{}, false
	}
	name := c.Validator.Name
	keepers := fmt.Sprintf("one of about %.0f keeps", float64(of)/float64(max(1, taken)))
	if 3*taken > 2*of { // not even one of two
		keepers = "most of them keep"
	}
	told := cell.Explanation{
		Cause: judge.CauseSomeReplicas,
		Why: fmt.Sprintf("; %d of %d answers of %s took it after others had refused it: it is several replicas, and %s it",
			taken, of, name, keepers),
		Fix: fmt.Sprintf("ask each replica of %s by its own address, and restart the one that keeps %s; prove the revoke at every one", name, c.Credential),
	}
	if c.Validator.Authority { // whose replicas are seldom the team's to ask or to restart
		told.Fix = fmt.Sprintf("ask whoever runs %s which of its servers takes %s, and for how long after a revoke; have it revoked there too, or write that time on the page and watch for longer", name, c.Credential)
	}
	if caches, forgot := cachesWithout(c); 0 < forgot && forgot < caches {
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
func cachesWithout(c *cell.Cell) (caches, without int) {
	caches, _ = c.Caches()
	for _, fetch := range c.Fetches(c.Validator.Name, c.First, c.Last) {
		if !slices.Contains(fetch.Credentials, c.Old) && !slices.Contains(fetch.Holds, c.Old) {
			without++
		}
	}
	return caches, without
}

// answersFor reports whether a look at a gateway found the set of one party behind it, which none of
// the others had then, after it had found another: it asks that one too. What it keeps it does not find
// again.
func answersFor(e *evidence.Evidence, gateway, of string) bool {
	has := func(party string, look *history.Event) bool {
		set, seen := e.SetAt(party, look.At)
		return seen && set.Same(look.Set)
	}
	return slices.ContainsFunc(e.LooksAt(gateway, ""), func(look history.Event) bool {
		return look.Set.Again && has(of, &look) && !slices.ContainsFunc(e.PartiesBehind(gateway), func(other string) bool { return other != of && has(other, &look) })
	})
}
