package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// nameRefused finds out which credential an emitter was refused with where who checks
// cannot say, as of a signature that fits none of the secrets that it has, or of a key that
// a provider's log does not name once it refuses it. It is the new one, where that was to be
// used and who checks has the old one alone, and the old one, where that was revoked and who
// checks has the new one alone. Where who checks does not say what it has, use tells: see
// usedUntil and neverTaken. What is left has no name.
func (e *Evidence) nameRefused() {
	emitted, emits := e.Begun(string(keyring.Emit), e.Fresh)
	revoked, revokes := e.Begun(string(keyring.Revoke), e.Old)
	found := map[history.CellKey][]history.Bucket{}
	for key, buckets := range e.View.Cells {
		_, emitter := e.Limits.Emitter(key.Presenter)
		if key.Source != e.Limits.JudgedAt || !unnamed(key) || !emitter || !emits {
			continue
		}
		e.View.Cells[key] = slices.DeleteFunc(buckets, func(b history.Bucket) bool {
			if b.AuthFailures == 0 {
				return false
			}
			named := key
			oldByUse, freshByUse := revokes && e.usedUntil(key, revoked), e.neverTaken(key, emitted)
			hasOld, hasFresh := e.has(key.Validator, e.Old, b.At), e.has(key.Validator, e.Fresh, b.At)
			switch {
			case b.At+BucketWidth >= emitted && hasOld && !hasFresh:
				named.Credential = e.Fresh
			case revokes && b.At+BucketWidth >= revoked && hasFresh && !hasOld:
				named.Credential = e.Old
			case b.At+BucketWidth >= revoked && oldByUse:
				named.Credential = e.Old
			case (!revokes || b.At < revoked) && freshByUse:
				named.Credential = e.Fresh
			default:
				return false
			}
			found[named] = append(found[named], b)
			return true
		})
	}
	for key, buckets := range found {
		all := slices.Concat(e.View.Cells[key], buckets)
		slices.SortStableFunc(all, func(a, b history.Bucket) int { return cmp.Compare(a.At, b.At) })
		e.View.Cells[key] = all
	}
}

// usedUntil reports whether what has no name in a cell is the old credential, by its use: its
// presenter used that until it was revoked, who checks refuses that since then, by what it
// told the harness, and had refused the presenter nothing without a name before.
func (e *Evidence) usedUntil(key history.CellKey, revoked history.Offset) bool {
	old := key
	old.Credential = e.Old
	lastUse := history.Offset(e.Limits.LastUse(e.View, old, e.Fresh, revoked))
	used := e.View.Sum(old, revoked-lastUse, revoked+BucketWidth)
	before := e.View.Sum(key, e.Start, revoked-BucketWidth)
	_, refused := e.toldTheHarness(key.Validator, e.Old, revoked, e.End)
	return used.OK > 0 && before.AuthFailures == 0 && refused
}

// neverTaken reports whether what has no name in a cell is the new credential, by its use:
// who checks refused that from the harness when it was last asked before it was to be used,
// has taken it from nobody, and refused the presenter nothing without a name before.
func (e *Evidence) neverTaken(key history.CellKey, emitted history.Offset) bool {
	for other := range e.View.Cells {
		if other.Validator == key.Validator && other.Credential == e.Fresh && e.View.Sum(other, e.Start, e.End+1).OK > 0 {
			return false
		}
	}
	before := e.View.Sum(key, e.Start, emitted-BucketWidth)
	taken, refused := e.toldTheHarness(key.Validator, e.Fresh, e.Start, e.End)
	return before.AuthFailures == 0 && refused && !taken
}

// toldTheHarness is what a validator answered in [from, to] when the harness itself showed
// it a credential.
func (e *Evidence) toldTheHarness(validator, credential string, from, to history.Offset) (taken, refused bool) {
	for _, event := range e.Events {
		if event.Kind != history.KindProbe || event.Service != validator || event.Credential != credential || event.Probe.Spoilt() || event.Probe.Session || event.At < from || event.At > to {
			continue
		}
		taken, refused = taken || event.Probe.Outcome == history.OK, refused || event.Probe.Outcome == history.AuthFailure
	}
	return taken, refused
}

// unnamed says that a cell is of what nobody can name.
func unnamed(key history.CellKey) bool {
	return key.Credential == "" || key.Credential == history.UnknownIdentifier
}

// has reports whether a validator had a credential at a moment, by its own word.
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

// Unnamed says of what emitters were refused with, of which nobody can say what it was,
// where there was less of that before anything was changed; "" where there is none.
func (e *Evidence) Unnamed() string {
	for _, key := range e.View.Keys() {
		if _, emitter := e.Limits.Emitter(key.Presenter); key.Source != e.Limits.JudgedAt || !unnamed(key) || !emitter {
			continue
		}
		base, since := e.View.Sum(key, e.Start, e.Changed()), e.View.Sum(key, e.Changed(), e.End+1)
		if since.AuthFailures > base.AuthFailures {
			return fmt.Sprintf("%s refused %s %d times with something that is none of the credentials that it had, and nothing shows what that was: look into the log of %s from %s on, and compare what it has with what is published, by fingerprint",
				key.Validator, key.Presenter, since.AuthFailures, key.Presenter, since.FirstFailure)
		}
	}
	return ""
}
