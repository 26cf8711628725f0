package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// offeredBoth reports whether the old credential was in use only because the
// validator, which was presented both, could not take the new one yet, and why.
func (e *evidence) offeredBoth(key history.CellKey, revoked history.Offset) (Cause, bool) {
	at, learned := e.learned(key.Validator, e.fresh, e.start)
	switch {
	case !e.several(key.Presenter) || learned && at <= revoked:
		return "", false
	case e.flagDay():
		return CauseFlagDay, true
	case learned:
		return CauseStaleCache, true
	}
	return CauseNeverLearned, true
}

// usingAnother are the emitters on the page that use, at the end, neither the credential
// that was revoked nor the one in whose favour: what was proven here is of neither.
func (e *evidence) usingAnother() (findings []Finding) {
	for _, name := range e.limits.OnAnother(e.view, e.old, e.fresh) {
		uses := e.view.Emitting[name]
		at := e.view.Switched[name][uses]
		findings = append(findings, Finding{
			Level: Error, Consumer: name, Credential: uses, CausedBy: causedByOther, Cause: CauseOtherRotation,
			FirstPhase: e.phaseAt(at), FirstMS: at.Milliseconds(), LastMS: e.end.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s uses %s since %s, which is neither %s nor %s: another rotation came before this one had ended, and nobody was given time to learn what it made", name, uses, e.moment(at.Milliseconds()), e.old, e.fresh),
			Fix:     fmt.Sprintf("find out what rotated %s a second time, and let one rotation end before the next begins: no sooner than the lead after what is to be used next was published", e.limits.Family),
		})
	}
	return findings
}

// distribution holds when the share of the new credential went to 1, and that
// of the old one to 0, before the old one was revoked, and nobody uses a third.
func distribution(e *evidence) (Outcome, string, []Finding) {
	revoked, there := e.begun(string(keyring.Revoke), e.old)
	if !there {
		return Skipped, "nothing was revoked", nil
	}
	var findings []Finding
	for _, key := range e.hop() {
		if key.Credential != e.old {
			continue
		}
		lastUse := history.Offset(e.limits.LastUse(e.view, key, e.fresh, revoked))
		// Not with the bucket that the revoke falls into: it has also what was
		// refused because of it.
		from, until := revoked-lastUse, revoked-bucketWidth+1
		buckets := e.view.Buckets(key, from, until)
		first := slices.IndexFunc(buckets, func(b history.Bucket) bool { return b.Answered() > 0 })
		if first < 0 {
			continue
		}
		from = buckets[first].At
		var used int64
		for _, b := range buckets {
			used += b.Answered()
		}
		emitter := e.emitterOf(key.Presenter)
		f := Finding{
			Level: Error, Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Presenter, Credential: e.old,
			CausedBy: string(keyring.Revoke), Cause: CauseOutlived, FirstPhase: e.phaseAt(from),
			FirstMS: from.Milliseconds(), LastMS: revoked.Milliseconds(), Count: used,
		}
		f.Fix = e.fixWindow(key.Presenter, 0)
		if switched, ever := e.view.Switched[emitter][e.fresh]; !ever || switched > revoked {
			e.tellNotSwitched(emitter, switched, ever).apply(&f)
		} else if l, late := e.switchedLate(key.Presenter); late {
			e.tellLate(l, revoked, revoked).apply(&f)
		}
		if cause, late := e.offeredBoth(key, revoked); late {
			f.Cause, f.Consumer = cause, key.Validator
		}
		if e.limits.Excepted(key.Presenter) {
			f.Level = Note
		}
		f.Message = fmt.Sprintf("%s still presented %s to %s %s in the last %s before it was revoked", key.Presenter, e.old, key.Validator, plan.Counted(used, "time"), e.page(lastUse))
		findings = append(findings, f)
	}
	if hasError(findings) {
		return Fail, fmt.Sprintf("%s was in use when it was revoked", e.old), findings
	}
	if others := e.usingAnother(); len(others) > 0 {
		return Fail, others[0].Message, append(findings, others...)
	}
	return Pass, fmt.Sprintf("%s was out of use when it was revoked", e.old), findings
}
