package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// nameRefused finds out which credential an emitter was refused with where the validator cannot say, as
// for a signature that fits none of its secrets, or a key that a provider's log does not name once
// refused. It is the new one where that was to be used and the validator has only the old one, and the
// old one where that was revoked and the validator has only the new one. Where the validator does not
// say what it has, use decides: see usedUntil, notTakenUntil and lostSince. What is left stays unnamed.
func (e *Evidence) nameRefused() {
	emitted, emits := e.Begun(keyring.Emit, e.Fresh)
	revoked, revokes := e.Begun(keyring.Revoke, e.Old)
	found := map[history.CellKey][]history.Bucket{}
	for key, buckets := range e.View.Cells {
		if key.Source != e.Limits.JudgedAt || !unnamed(key) || !e.presents(key) || !emits {
			continue
		}
		// Of the whole cell, which is taken apart below.
		oldByUse, left := revokes && e.usedUntil(key, revoked), e.left(key)
		notTaken, freshByUse := e.notTakenUntil(key, emitted)
		lostAt, lost := e.lostSince(key)
		e.View.Cells[key] = slices.DeleteFunc(buckets, func(b history.Bucket) bool {
			if b.AuthFailures == 0 {
				return false
			}
			named := key
			hasOld, hasFresh := e.has(key.Validator, e.Old, b.At), e.has(key.Validator, e.Fresh, b.At)
			switch {
			case b.At+BucketWidth >= emitted && hasOld && !hasFresh:
				named.Credential = e.Fresh
			case revokes && b.At+BucketWidth >= revoked && hasFresh && !hasOld:
				named.Credential = e.Old
			case b.At+BucketWidth >= revoked && oldByUse:
				named.Credential = e.Old
			case freshByUse && b.At <= notTaken && (!revokes || b.At < revoked || left), lost && b.At+BucketWidth >= lostAt:
				named.Credential = e.Fresh
			default:
				return false
			}
			found[named] = append(found[named], b)
			return true
		})
	}
	for key, buckets := range found {
		earlier := func(a, b history.Bucket) int { return cmp.Compare(a.At, b.At) }
		first := slices.MinFunc(buckets, earlier).At // they may be of two cells without a name
		if switched := e.View.Switched[key.Presenter]; key.Credential == e.Fresh && switched[e.Fresh] > first {
			switched[e.Fresh] = first // it presented the new one, although nothing was let in with it
		}
		all := slices.Concat(e.View.Cells[key], buckets)
		slices.SortStableFunc(all, earlier)
		e.View.Cells[key] = all
	}
}

// usedUntil reports whether a cell's unnamed refusals are of the old credential: its presenter used
// that until the revoke, the validator refuses it to the harness since, and refused the presenter
// nothing unnamed before.
func (e *Evidence) usedUntil(key history.CellKey, revoked history.Offset) bool {
	old := key
	old.Credential = e.Old
	lastUse := history.Offset(e.Limits.LastUse(e.View, old, e.Fresh, revoked))
	used := e.View.Sum(old, revoked-lastUse, revoked+BucketWidth)
	before := e.View.Sum(key, e.Start, revoked-BucketWidth)
	_, refused := e.toldTheHarness(key.Validator, e.Old, revoked, e.End)
	return used.OK > 0 && before.AuthFailures == 0 && refused
}

// notTakenUntil is until when a cell's unnamed refusals are of the new credential, which the validator
// refused to the harness too, before the emit: until it was first taken from anybody, if the presenter is
// refused nothing unnamed since; or throughout, if some answers took it and later ones did not, as where one
// of its replicas lacks it. They are not, where the presenter was refused something unnamed before the emit.
func (e *Evidence) notTakenUntil(key history.CellKey, emitted history.Offset) (until history.Offset, are bool) {
	first := e.End + 1 // when anybody was let in with it
	for other := range e.View.Cells {
		if other.Validator == key.Validator && other.Credential == e.Fresh {
			for _, b := range e.View.Cells[other] {
				if b.OK > 0 {
					first = min(first, b.At)
				}
			}
		}
	}
	taken, refused, mixed := false, false, false
	for _, p := range e.shownTo(key.Validator, e.Fresh, e.Start, e.End) {
		if p.Probe.Outcome == history.OK {
			taken, first = true, min(first, p.At)
		} else if p.Probe.Outcome == history.AuthFailure && p.At < emitted+BucketWidth {
			refused, mixed = true, mixed || taken
		}
	}
	before, since := e.View.Sum(key, e.Start, emitted-BucketWidth), e.View.Sum(key, first+BucketWidth, e.End+1)
	if mixed {
		first = e.End + 1
	}
	return first, before.AuthFailures == 0 && refused && (mixed || since.AuthFailures == 0)
}

// left reports whether a cell's presenter uses the old credential no more since it was first refused
// something unnamed.
func (e *Evidence) left(key history.CellKey) bool {
	old := key
	old.Credential = e.Old
	return e.View.Sum(old, e.View.Sum(key, e.Start, e.End+1).FirstFailure+BucketWidth, e.End+1).OK == 0
}

// lostSince is since when a cell's unnamed refusals are of the new credential, which the validator took
// before: its presenter used that last and uses nothing else since, and the validator refuses it to the
// harness since, as where a revoke withdraws the wrong one.
func (e *Evidence) lostSince(key history.CellKey) (began history.Offset, are bool) {
	fresh, old := key, key
	fresh.Credential, old.Credential = e.Fresh, e.Old
	began = e.View.Sum(key, e.Start, e.End+1).FirstFailure
	if e.View.Sum(fresh, e.Start, began+1).OK == 0 || e.View.Sum(fresh, began+BucketWidth, e.End+1).OK > 0 || e.View.Sum(old, began, e.End+1).OK > 0 {
		return 0, false
	}
	taken, refused := e.toldTheHarness(key.Validator, e.Fresh, began, e.End)
	return began, refused && !taken
}

// toldTheHarness is how a validator answered the harness's presentations of a credential in [from, to].
func (e *Evidence) toldTheHarness(validator, credential string, from, to history.Offset) (taken, refused bool) {
	for _, event := range e.shownTo(validator, credential, from, to) {
		taken, refused = taken || event.Probe.Outcome == history.OK, refused || event.Probe.Outcome == history.AuthFailure
	}
	return taken, refused
}

// shownTo are the harness's presentations of a credential to a validator in [from, to], in order.
func (e *Evidence) shownTo(validator, credential string, from, to history.Offset) (shown []history.Event) {
	for _, event := range e.Events {
		if event.Kind == history.KindProbe && event.Service == validator && event.Credential == credential && !event.Probe.Spoilt() && !event.Probe.Session && event.At >= from && event.At <= to {
			shown = append(shown, event)
		}
	}
	return shown
}

// presents reports whether a cell's presenter has to do with the rotation: it is an emitter, or was let in
// with one of its credentials by the same validator, as one that nobody wrote on the page is.
func (e *Evidence) presents(key history.CellKey) bool {
	if _, emitter := e.Limits.Emitter(key.Presenter); emitter {
		return true
	}
	old, fresh := key, key
	old.Credential, fresh.Credential = e.Old, e.Fresh
	return e.View.Sum(old, e.Start, e.End+1).OK+e.View.Sum(fresh, e.Start, e.End+1).OK > 0
}

// unnamed reports whether a cell is of what nobody can name.
func unnamed(key history.CellKey) bool {
	return key.Credential == "" || key.Credential == history.UnknownIdentifier
}

// has reports whether a validator had a credential at a moment, by its own log.
func (e *Evidence) has(validator, credential string, at history.Offset) (has bool) {
	for _, event := range e.Events {
		if event.At > at {
			break
		}
		if event.Service == validator && event.Credential == credential {
			has = event.Kind == history.KindLearned || has && event.Kind != history.KindForgot
		}
	}
	return has
}

// SayUnnamed says what is known of what a validator refused without a name: of one that tells which
// credentials it has, that it was none of these; of another, nothing.
func (e *Evidence) SayUnnamed(validator string) string {
	if e.has(validator, e.Old, e.End) || e.has(validator, e.Fresh, e.End) {
		return "something that is none of the credentials that it had, and nothing shows what that was"
	}
	return "something that its log does not name, and nothing else shows what that was"
}

// Unnamed tells of refusals that nobody can attribute to a credential and that were rarer before
// anything was changed; "" where there are none.
func (e *Evidence) Unnamed() string {
	for _, key := range e.View.Keys() {
		if key.Source != e.Limits.JudgedAt || !unnamed(key) || !e.presents(key) {
			continue
		}
		base, since := e.View.Sum(key, e.Start, e.Changed()), e.View.Sum(key, e.Changed(), e.End+1)
		if since.AuthFailures > base.AuthFailures {
			return fmt.Sprintf("%s refused %s %d times with %s: look into the log of %s from %s on, and compare what it has with what is published, by fingerprint",
				key.Validator, key.Presenter, since.AuthFailures, e.SayUnnamed(key.Validator), key.Presenter, e.Moment(since.FirstFailure))
		}
	}
	return ""
}
