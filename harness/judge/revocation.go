package judge

import (
	"fmt"
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
	revoked, there := e.revokedAt()
	if !there {
		return Skipped, "nothing was revoked", nil
	}
	if e.ended == history.EndedRolledBack {
		return Skipped, "the revoke was taken back", nil
	}
	var findings []Finding
	var open []string
	for _, v := range e.limits.Validators {
		f := Finding{
			Level: Error, Validator: v.Name, Consumer: v.Name, Credential: e.old, CausedBy: string(keyring.Revoke), Cause: CauseKeptRevoked,
			FirstPhase: string(history.Watch), FirstMS: revoked.Milliseconds(),
		}
		missing := e.refusesOld(&f, v, revoked)
		if missing != "" {
			open = append(open, missing)
		}
		missing, untaken := e.takesNew(v)
		if missing != "" {
			open = append(open, missing)
		}
		if f.Message != "" { // one party, one finding
			if untaken {
				f.Message += fmt.Sprintf("; and it refuses %s", e.fresh)
			}
			findings = append(findings, f)
		} else if untaken {
			findings = append(findings, e.tellUntaken(f, v))
		}
	}
	if f, left := e.undestroyed(); left {
		findings = append(findings, f)
		if len(findings) == 1 {
			return Fail, f.Message, findings
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

// keptTooLong reports whether a validator took the old credential after its bound:
// asked for it after that, or, where it says itself that it forgot it only then,
// answering after that. That it was asked late, or is slow to answer, is none.
func (e *evidence) keptTooLong(v plan.Validator, p presented, revoked history.Offset) bool {
	bound := e.limits.G3(v)
	if p.Taken == 0 || bound == runbook.Forever {
		return false
	}
	until := revoked + history.Offset(e.limits.Wall(bound)+v.Granule) + history.Offset(nearly)
	forgot, says := e.view.Forgot[v.Name][e.old]
	return p.LastAsked > until || p.LastTaken > until && says && forgot > until
}

// refusesOld tells in a finding that a validator went on taking the old credential,
// or says what is missing to know.
func (e *evidence) refusesOld(f *Finding, v plan.Validator, revoked history.Offset) (missing string) {
	p := e.oldProbes(v, revoked)
	f.LastMS, f.Count = p.LastTaken.Milliseconds(), p.Taken
	bound := e.limits.G3(v)
	if why := e.unreadable(v.Name); why != "" {
		return why
	}
	switch {
	case p.refused && e.keptTooLong(v, p, revoked):
		f.Message = fmt.Sprintf("%s%s took %s until %s after the revoke; the bound is %s", v.Name, e.offPage(v.Name), e.old, e.page(p.LastTaken-revoked), plan.Text(bound))
		f.Fix = fmt.Sprintf("find out why %s forgets late, or write forgets_within: %s on the page", v.Name, e.atLeast(p.refusedAt-revoked))
		late := v
		late.Forgets = e.limits.Page((p.refusedAt - revoked).Duration()) + margin
		if need := e.limits.G3(late); need > e.limits.Watch {
			f.Fix += fmt.Sprintf(" and watch for at least %s (rollout.watch)", plan.Text(need.Round(time.Second)))
		}
		e.kept(f, v, p)
	case p.refused:
	case p.Taken == 0 && p.Unshown != "":
		return fmt.Sprintf("%s was never shown %s: %s", v.Name, e.old, p.Unshown)
	case p.Taken == 0:
		return fmt.Sprintf("%s gave no answer to %s", v.Name, e.old)
	case bound == runbook.Forever && (p.Last.Outcome == history.OK || p.LastTaken >= e.end-history.Offset(nearly)),
		bound != runbook.Forever && p.LastAsked-revoked+2*bucketWidth >= history.Offset(e.limits.Wall(bound)+v.Granule):
		f.Message = fmt.Sprintf("%s%s still took %s %s after the revoke: %s", v.Name, e.offPage(v.Name), e.old, e.page(p.LastTaken-revoked), e.boundText(bound))
		f.Fix = fmt.Sprintf("restart %s after a revoke, or give its key set an expiry: until then a revoked credential lets someone in", v.Name)
		if v.Reads {
			f.Fix = fmt.Sprintf("have %s read what is published again after a revoke (a reload, a signal, a restart): until then a revoked credential lets someone in", v.Name)
		}
		if p.bySession() {
			f.Message = fmt.Sprintf("%s lets nobody new in with %s, and still served a session made before, %s after the revoke", v.Name, e.old, e.page(p.LastTaken-revoked))
		}
		e.kept(f, v, p)
	case p.InARow > 0:
		return fmt.Sprintf("%s took %s again after it had refused it, and refused it only %s since: not every replica of it need do so", v.Name, e.old, plan.Counted(p.InARow, "time"))
	case p.Last.Outcome != history.OK:
		return fmt.Sprintf("%s still took %s %s after the revoke and gave no answer after that", v.Name, e.old, e.page(p.LastTaken-revoked))
	default:
		return fmt.Sprintf("%s still took %s when the watch ended after %s, and may until %s", v.Name, e.old, e.page(e.end-revoked),
			plan.Text(bound+e.limits.Page(v.Granule))) // what it rounds up is wall time
	}
	return ""
}

// takesNew says whether a validator refuses the new credential after the revoke, or
// what is missing to know.
func (e *evidence) takesNew(v plan.Validator) (missing string, untaken bool) {
	switch answer, a := e.limits.Answered(e.view, v.Name, e.fresh, history.NewAfter); answer {
	case plan.Refuses:
		if n := e.takenMeanwhile(v); a.Taken == 0 && n >= leastAttempts {
			return fmt.Sprintf("%s refused %s in all of %d answers to the harness, and took it %d times from others meanwhile: it refuses something else of what is made just then, as where its clock is behind", v.Name, e.fresh, a.Refused, n), false
		}
		return "", true
	case plan.Doubtful:
		return e.doubt(v, a), false
	case plan.Unasked, plan.Silent:
		return fmt.Sprintf("%s was not seen taking %s after the revoke", v.Name, e.fresh), false
	}
	return "", false
}

// takenMeanwhile is how often a validator took the new credential from others in the
// last of the watch, where it refused hardly any of it then.
func (e *evidence) takenMeanwhile(v plan.Validator) int64 {
	const lately = 5 * history.Offset(nearly)
	var sum history.Counts
	for _, key := range e.hop() {
		if key.Validator == v.Name && key.Credential == e.fresh {
			part := e.view.Sum(key, e.end-lately, e.end+1)
			sum.Add(&part)
		}
	}
	if sum.AuthFailures > sum.OK/2 {
		return 0
	}
	return sum.OK
}

// doubt says of a validator that refused the new credential too seldom to tell what
// that was.
func (e *evidence) doubt(v plan.Validator, a history.Answers) string {
	return fmt.Sprintf("%s refused %s in %d of %d answers, and nothing tells whether one of its replicas does or whether that is usual", v.Name, e.fresh, a.Refused, a.Asked())
}

// tellUntaken is the finding of a validator that refuses the new credential.
func (e *evidence) tellUntaken(f Finding, v plan.Validator) Finding {
	_, at, _ := e.lastProbe(v.Name, history.NewAfter)
	a := e.view.Said(v.Name, e.fresh, history.NewAfter)
	f.Credential, f.Cause, f.Count = e.fresh, CauseUnknown, a.Refused
	f.LastMS = e.end.Milliseconds()
	f.Message = fmt.Sprintf("%s refuses %s after the revoke of %s", v.Name, e.fresh, e.old)
	f.Fix = fmt.Sprintf("look into the log of %s", v.Name)
	if _, ever := e.learned(v.Name, e.fresh, e.start); !ever && a.Taken == 0 && !v.Authority { // which has it from the step itself
		f.Message += fmt.Sprintf(": it never learned it; %s", e.lastFetch(v.Name))
	}
	told, found := (&cell{evidence: e, symptom: untaken, validator: v, credential: e.fresh, first: at, last: at, way: e.wayTo(v)}).detect()
	if a.Taken > 0 && !found {
		told = explanation{
			cause: CauseSomeReplicas,
			why:   fmt.Sprintf(" in %d of %d answers: not all of its replicas take it", a.Refused, a.Asked()),
			fix:   fmt.Sprintf("ask each replica of %s by its own address, and start anew the one that does not fetch; prove every replica before emitting", v.Name),
		}
	}
	told.apply(&f)
	f.Message += told.why
	return f
}

// undestroyed is that the old credential could not be removed after all.
func (e *evidence) undestroyed() (Finding, bool) {
	if _, done := e.done(string(keyring.Destroy), e.old); done {
		return Finding{}, false
	}
	for _, event := range e.events {
		if event.Kind != history.KindStep || event.Step != string(keyring.Destroy) || event.Credential != e.old || event.Detail == "" {
			continue
		}
		f := Finding{
			Level: Error, Credential: e.old, CausedBy: string(keyring.Destroy), Cause: CauseNotDestroyed, FirstPhase: e.phaseAt(event.At),
			FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s is refused everywhere and could not be removed: %s", e.old, event.Detail),
			Fix:     fmt.Sprintf("hand on what still belongs to %s, then remove it (destroy); rehearse that step too", e.old),
		}
		for _, v := range e.limits.Validators {
			if v.Authority {
				f.Consumer, f.Validator = v.Name, v.Name
			}
		}
		return f, true
	}
	return Finding{}, false
}

// kept adds to a finding of a credential that was taken for too long what made
// that so.
func (e *evidence) kept(f *Finding, v plan.Validator, p presented) {
	revoked, _ := e.revokedAt()
	told, _ := (&cell{evidence: e, symptom: kept, validator: v, credential: e.old, first: revoked, last: p.LastTaken, presented: p}).detect()
	told.apply(f)
	f.Message += told.why
}

func (e *evidence) boundText(bound time.Duration) string {
	if bound == runbook.Forever {
		return "nothing makes it forget"
	}
	return "the bound is " + plan.Text(bound)
}
