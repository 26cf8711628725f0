package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// revocation holds when every validator refused the old credential by its
// bound G3, shown with one that had not expired and was made before the revoke,
// and takes the new one.
func revocation(e *evidence) (Outcome, string, []Finding) {
	revoked, there := e.done(string(keyring.Revoke), e.old)
	if !there {
		return Skipped, "nothing was revoked", nil
	}
	if e.ended == history.EndedRolledBack {
		return Skipped, "the revoke was taken back", nil
	}
	var findings []Finding
	var open []string
	for _, v := range e.limits.Validators {
		p := e.oldProbes(v.Name, revoked)
		late := history.Offset(nearly) + history.Offset(v.Granule)
		bound := e.limits.G3(v)
		f := Finding{
			Level: Error, Validator: v.Name, Consumer: v.Name, Credential: e.old, CausedBy: string(keyring.Revoke), Cause: CauseKeptRevoked,
			FirstPhase: string(history.Watch), FirstMS: revoked.Milliseconds(), LastMS: p.lastTaken.Milliseconds(), Count: p.taken,
		}
		switch {
		case p.refused && bound != runbook.Forever && p.refusedAt-revoked > history.Offset(e.limits.Wall(bound))+late:
			f.Message = fmt.Sprintf("%s%s refused %s only %s after the revoke; the bound is %s", v.Name, e.offPage(v.Name), e.old, e.page(p.refusedAt-revoked), plan.Text(bound))
			f.Fix = fmt.Sprintf("find out why %s forgets late, or write forgets_within: %s on the page", v.Name, e.atLeast(p.refusedAt-revoked))
			v.Forgets = e.limits.Page((p.refusedAt - revoked).Duration()) + margin
			if need := e.limits.G3(v); need > e.limits.Watch {
				f.Fix += fmt.Sprintf(" and watch for at least %s (rollout.watch)", plan.Text(need.Round(time.Second)))
			}
			e.blameLatePublish(&f, v, revoked)
			findings = append(findings, f)
		case p.refused:
		case p.taken == 0:
			open = append(open, fmt.Sprintf("%s gave no answer to %s", v.Name, e.old))
		case bound == runbook.Forever && p.lastTaken >= e.end-history.Offset(nearly),
			bound != runbook.Forever && p.lastTaken-revoked+2*bucketWidth >= history.Offset(e.limits.Wall(bound)+v.Granule):
			f.Message = fmt.Sprintf("%s%s still took %s %s after the revoke: %s", v.Name, e.offPage(v.Name), e.old, e.page(p.lastTaken-revoked), e.boundText(bound))
			f.Fix = fmt.Sprintf("restart %s after a revoke, or give its key set an expiry: until then a revoked credential lets someone in", v.Name)
			e.blameLatePublish(&f, v, revoked)
			if p.session {
				e.tellKeptSessions(&f, v, p.lastTaken-revoked)
			}
			findings = append(findings, f)
		case p.lastTaken < e.end-history.Offset(nearly):
			open = append(open, fmt.Sprintf("%s still took %s %s after the revoke and gave no answer after that", v.Name, e.old, e.page(p.lastTaken-revoked)))
		default:
			open = append(open, fmt.Sprintf("%s still took %s when the watch ended after %s, and may until %s", v.Name, e.old, e.page(e.end-revoked),
				plan.Text(bound+e.limits.Page(v.Granule)))) // what it rounds up is wall time
		}
		probe, at, asked := e.lastProbe(v.Name, history.NewAfter)
		switch {
		case !asked || probe.Outcome != history.OK && probe.Outcome != history.AuthFailure:
			open = append(open, fmt.Sprintf("%s was not seen taking %s after the revoke", v.Name, e.fresh))
		case probe.Outcome == history.OK:
		case f.Message != "": // one party, one finding
			findings[len(findings)-1].Message += fmt.Sprintf("; and it refuses %s", e.fresh)
		default:
			f.Credential, f.Cause, f.Count = e.fresh, CauseUnknown, 1
			f.LastMS = e.end.Milliseconds()
			f.Message = fmt.Sprintf("%s refuses %s after the revoke of %s", v.Name, e.fresh, e.old)
			f.Fix = fmt.Sprintf("look into the log of %s", v.Name)
			if _, ever := e.learned(v.Name, e.fresh, e.start); !ever {
				f.Cause = CauseNeverLearned
				f.Message += fmt.Sprintf(": it never learned it; %s", e.lastFetch(v.Name))
			}
			if lock, there := e.lockedAt(v.Name, at); there {
				told := e.tellLockedOut(v.Name, lock)
				f.Consumer, f.Cause, f.Fix = cmp.Or(told.consumer, v.Name), told.cause, told.fix
				f.Message += ": " + told.why
			} else if told, there := e.refusedOthers(v); there {
				f.Consumer, f.Cause, f.Fix = told.Consumer, told.Cause, told.Fix
				f.Message += fmt.Sprintf(", as it did when %s presented it", told.Presenter)
			} else if told, there := e.reusedKid(v); there {
				f.Consumer, f.Cause, f.Fix = told.consumer, told.cause, told.fix
				f.Message += "; " + told.why
			} else if set, known := e.view.Published[v.From]; known && !slices.Contains(set, e.fresh) {
				f.Consumer, f.Cause = v.From, CauseLatePublish
				f.Message += fmt.Sprintf("; %s does not publish it", v.From)
				f.Fix = e.fixPublishing(v, revoked)
			}
			findings = append(findings, f)
		}
	}
	switch {
	case len(findings) > 0:
		return Fail, fmt.Sprintf("%s is refused late, or %s is not taken", e.old, e.fresh), findings
	case len(open) > 0:
		return Inconclusive, strings.Join(open, "; "), nil
	}
	return Pass, fmt.Sprintf("every validator refused %s in time and takes %s", e.old, e.fresh), nil
}

// refusedOthers is what was found of those whom a validator refused with the new
// credential, too, up to the end.
func (e *evidence) refusedOthers(v plan.Validator) (Finding, bool) {
	for _, key := range e.hop() {
		sum := e.view.Sum(key, e.start, e.end+1)
		if key.Validator == v.Name && key.Credential == e.fresh && sum.AuthFailures > 0 && sum.LastFailure > e.end-2*history.Offset(nearly) {
			if f := e.explain(key, &sum); f.Cause != CauseUnknown {
				return f, true
			}
		}
	}
	return Finding{}, false
}

// blameLatePublish turns a finding to the emitter where it went on publishing
// the revoked credential for longer than the page says, or to the end.
func (e *evidence) blameLatePublish(f *Finding, v plan.Validator, revoked history.Offset) {
	until, ended := e.publishedUntil(v.From, revoked)
	late := until - revoked
	if late <= history.Offset(e.limits.Wall(e.limits.Publishing(v)))+history.Offset(nearly) {
		return
	}
	f.Consumer, f.Cause, f.Fix = v.From, CauseLatePublish, e.fixPublishing(v, revoked)
	if ended {
		f.Message += fmt.Sprintf("; %s went on publishing it for %s", v.From, e.page(late))
		return
	}
	kind, disturbed := e.faultOn(v.From, revoked)
	at, exited := e.view.Exited[v.From]
	back := slices.ContainsFunc(e.events, func(event history.Event) bool {
		return event.Kind == history.KindPublished && event.Service == v.From && event.At > at
	})
	if !disturbed && (!exited || back) {
		f.Message += fmt.Sprintf("; %s never stopped publishing it", v.From)
		return
	}
	f.Cause = CauseServiceDown
	f.Fix = fmt.Sprintf("bring %s back before the revoke: who cannot fetch keeps the set that it has", v.From)
	f.Message += fmt.Sprintf("; %s, which had to withdraw it, was not there", v.From)
	if disturbed {
		f.CausedBy = kind
		f.Message += ": it was under the fault " + kind
	} else {
		f.Message += ": it ended at " + at.String()
	}
}

// fixPublishing is how an emitter comes to publish what it is told to, after a moment.
func (e *evidence) fixPublishing(v plan.Validator, since history.Offset) string {
	if mend, kept := e.mendWhatKept(v.From, "what the store has", since); kept {
		return mend
	}
	return fmt.Sprintf("make %s read the store every %s as the page says", v.From, plan.Text(e.limits.Publishing(v)))
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

func (e *evidence) boundText(bound time.Duration) string {
	if bound == runbook.Forever {
		return "nothing makes it forget"
	}
	return "the bound is " + plan.Text(bound)
}

// presented is what became of the old credential at one validator after the revoke.
type presented struct {
	taken     int64 // how often it was still taken
	lastTaken history.Offset
	session   bool // the last time, only by a session that was made before
	refused   bool
	refusedAt history.Offset // the first refusal after which it was not taken again
}

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
		case history.AuthFailure:
			if !p.refused {
				p.refused, p.refusedAt = true, event.At
			}
		}
	}
	return p
}
