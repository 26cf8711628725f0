package rules

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/authority"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/switching"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// offeredBoth reports whether the old credential was in use only because the validator, which was shown
// both, could not take the new one yet, and why.
func (e *judging) offeredBoth(key history.CellKey, revoked history.Offset) (judge.Cause, bool) {
	at, learned := e.Learned(key.Validator, e.Fresh, e.Start)
	switch {
	case !e.Several(key.Presenter) || learned && at <= revoked:
		return "", false
	case e.FlagDay():
		return judge.CauseFlagDay, true
	case learned:
		return judge.CauseStaleCache, true
	}
	return judge.CauseNeverLearned, true
}

// usingAnother are the emitters on the page that use neither of the two credentials at the end: the
// rehearsal proved nothing about the one they use.
func (e *judging) usingAnother() (findings []judge.Finding) {
	for _, name := range e.Limits.OnAnother(e.View, e.Old, e.Fresh) {
		uses := e.View.Emitting[name]
		at := e.View.Switched[name][uses]
		f := judge.Finding{
			Level: judge.Error, Consumer: name, Credential: uses, CausedBy: cause.CausedByOther, Cause: judge.CauseOtherRotation,
			FirstPhase: e.PhaseAt(at), FirstMS: at.Milliseconds(), LastMS: e.End.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s uses %s since %s, which is neither %s nor %s: another rotation came before this one had ended, and no validator had the lead to learn what it made", name, uses, e.Moment(at), e.Old, e.Fresh),
			Fix:     fixOtherRotation(e.Limits.Family),
		}
		if switching.RotatorRuns(e.Evidence, at) {
			f.Consumer = switching.RotatorName
			f.Fix = fmt.Sprintf("the rotator was still at work then: find out whether it rotated %s twice (a retry, two that run at once) or something else did; let one rotation end before the next begins, at the earliest a lead after the next credential was published", e.Limits.Family)
		}
		findings = append(findings, f)
	}
	return findings
}

// signingOn are the issuers on the page that by their own logs still signed with the old credential at
// the revoke and that no finding names: nobody presented what they signed, which would have been
// refused.
func (e *judging) signingOn(revoked history.Offset, found []judge.Finding) (findings []judge.Finding) {
	for _, m := range e.Limits.Emitters {
		_, publishes := e.View.Published[m.Name]
		switched, ever := e.View.Switched[m.Name][e.Fresh]
		told := slices.ContainsFunc(found, func(f judge.Finding) bool { return f.Consumer == m.Name })
		if !m.OnPage || !publishes || told || e.FlagDay() || revoked > e.End || e.signsWith(m.Name, revoked) != e.Old {
			continue
		}
		f := judge.Finding{
			Level: judge.Error, Consumer: m.Name, Credential: e.Old, CausedBy: string(keyring.Revoke), FirstPhase: e.PhaseAt(revoked),
			FirstMS: revoked.Milliseconds(), LastMS: e.End.Milliseconds(), Count: 1,
		}
		if ever {
			f.LastMS = switched.Milliseconds()
		}
		why := switching.TellNotSwitched(e.Evidence, m.Name, switched, ever)
		why.Apply(&f)
		f.Message = why.Why + ": nobody was seen to present what it signed then, and it is refused"
		findings = append(findings, f)
	}
	return findings
}

// signsWith is the credential that an emitter last said it signs with, until a moment.
func (e *judging) signsWith(emitter string, at history.Offset) (credential string) {
	for _, event := range e.Events {
		if event.Kind == history.KindEmitting && event.Service == emitter && event.At <= at {
			credential = event.Credential
		}
	}
	return credential
}

// distribution holds when the share of the new credential went to 1 and the old one's to 0 before the
// revoke, and nobody uses a third.
func distribution(e *judging) (judge.Outcome, string, []judge.Finding) {
	return e.once("distribution", findDistribution)
}

func findDistribution(e *judging) (judge.Outcome, string, []judge.Finding) {
	revoked, there := e.Begun(keyring.Revoke, e.Old)
	if !there {
		return judge.Skipped, "nothing was revoked", nil
	}
	// A rotator's revoke counts from when it was seen, not from the earliest possible moment: what was
	// in use until then was accepted.
	if seen, done := e.Done(keyring.Revoke, e.Old); done && slices.Contains(e.Limits.Rotated, string(keyring.Revoke)) {
		revoked = seen
	}
	var findings []judge.Finding
	for _, key := range e.JudgedCells() {
		if key.Credential != e.Old {
			continue
		}
		lastUse := history.Offset(e.Limits.LastUse(e.View, key, e.Fresh, revoked))
		// Without the bucket of the revoke, which also has the refusals that it caused.
		from, until := revoked-lastUse, revoked-evidence.BucketWidth+1
		buckets := e.View.Buckets(key, from, until)
		first := slices.IndexFunc(buckets, func(b history.Bucket) bool { return b.Answered() > 0 })
		if first < 0 {
			continue
		}
		from = buckets[first].At
		var used int64
		for _, b := range buckets {
			used += b.Answered()
		}
		emitter := e.EmitterOf(key.Presenter)
		f := judge.Finding{
			Level: judge.Error, Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Presenter, Credential: e.Old,
			CausedBy: string(keyring.Revoke), Cause: judge.CauseOutlived, FirstPhase: e.PhaseAt(from),
			FirstMS: from.Milliseconds(), LastMS: revoked.Milliseconds(), Count: used,
		}
		f.Fix = switching.FixWindow(e.Evidence, key.Presenter, 0)
		if fell, is := authority.TellFellBack(e.Evidence, key.Presenter, key.Validator); is {
			fell.Apply(&f)
		} else if early, is := switching.TellRevokedEarly(e.Evidence); is {
			early.Apply(&f)
		} else if turns, is := switching.TellInTurns(e.Evidence, emitter); is {
			turns.Apply(&f)
		} else if back, is := switching.TellWentBack(e.Evidence, key.Presenter, key.Validator, from); is {
			back.Apply(&f)
		} else if switched, ever := e.View.Switched[emitter][e.Fresh]; !ever || switched > revoked {
			told, part := switching.TellInPart(e.Evidence, key.Presenter, key.Validator, from, switching.LastUse(e.Evidence, key.Presenter))
			if !part {
				told = switching.TellNotSwitched(e.Evidence, emitter, switched, ever)
			}
			told.Apply(&f)
		} else if l, late := switching.SwitchedLate(e.Evidence, key.Presenter); late {
			switching.TellLate(e.Evidence, l, revoked, revoked).Apply(&f)
		}
		if cause, late := e.offeredBoth(key, revoked); late {
			f.Cause, f.Consumer = cause, key.Validator
		}
		if e.Limits.Excepted(key.Presenter) {
			f.Level = judge.Note
		}
		f.Message = fmt.Sprintf("%s still presented %s to %s %s in the last %s before it was revoked", key.Presenter, e.Old, key.Validator, plan.Counted(used, "time"), e.Page(lastUse))
		findings = append(findings, f)
	}
	findings = append(findings, e.signingOn(revoked, findings)...)
	if judge.HasError(findings) {
		return judge.Fail, fmt.Sprintf("%s was in use when it was revoked", e.Old), findings
	}
	if why := e.ownNames(); why != "" {
		return judge.Inconclusive, why, findings
	}
	if others := e.usingAnother(); len(others) > 0 {
		return judge.Fail, others[0].Message, append(findings, others...)
	}
	return judge.Pass, fmt.Sprintf("%s was out of use when it was revoked", e.Old), findings
}
