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
			e.kept(&f, v, p)
			findings = append(findings, f)
		case p.refused:
		case p.taken == 0 && p.unshown != "":
			open = append(open, fmt.Sprintf("%s was never shown %s: %s", v.Name, e.old, p.unshown))
		case p.taken == 0:
			open = append(open, fmt.Sprintf("%s gave no answer to %s", v.Name, e.old))
		case bound == runbook.Forever && p.lastTaken >= e.end-history.Offset(nearly),
			bound != runbook.Forever && p.lastTaken-revoked+2*bucketWidth >= history.Offset(e.limits.Wall(bound)+v.Granule):
			f.Message = fmt.Sprintf("%s%s still took %s %s after the revoke: %s", v.Name, e.offPage(v.Name), e.old, e.page(p.lastTaken-revoked), e.boundText(bound))
			f.Fix = fmt.Sprintf("restart %s after a revoke, or give its key set an expiry: until then a revoked credential lets someone in", v.Name)
			if p.bySession() {
				f.Message = fmt.Sprintf("%s lets nobody new in with %s, and still served a session made before, %s after the revoke", v.Name, e.old, e.page(p.lastTaken-revoked))
			}
			e.kept(&f, v, p)
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
				f.Message += fmt.Sprintf(": it never learned it; %s", e.lastFetch(v.Name))
			}
			told, _ := (&cell{evidence: e, symptom: untaken, validator: v, credential: e.fresh, first: at, last: at, way: e.wayTo(v)}).detect()
			told.apply(&f)
			f.Message += told.why
			findings = append(findings, f)
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
	told, _ := (&cell{evidence: e, symptom: kept, validator: v, credential: e.old, first: revoked, last: p.lastTaken, presented: p}).detect()
	told.apply(f)
	f.Message += told.why
}

func (e *evidence) boundText(bound time.Duration) string {
	if bound == runbook.Forever {
		return "nothing makes it forget"
	}
	return "the bound is " + plan.Text(bound)
}
