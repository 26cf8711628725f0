package switching

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// WentBack matches where an emitter that had switched to the new credential was refused with the old
// one.
func WentBack(c *cell.Cell) (cell.Explanation, bool) {
	if m, _ := c.Limits.Emitter(c.Presenter); m.Several || !c.UsedAfter() {
		return cell.Explanation{}, false
	}
	return TellWentBack(c.Evidence, c.Presenter, c.Validator.Name, c.First)
}

// TellWentBack tells of an emitter that presented the new credential to a validator for a while and
// then the old one alone again, at the moment used: somebody gave it the old value back. It does not
// match one that presents both side by side, nor one that presents too seldom for a silence to tell
// anything.
func TellWentBack(e *evidence.Evidence, emitter, validator string, used history.Offset) (cell.Explanation, bool) {
	if at, restored := e.Begun(keyring.Restore, e.Old); restored && at <= used {
		return cell.Explanation{}, false // the rotation itself went back
	}
	emitted, was := e.Begun(keyring.Emit, e.Fresh)
	if _, emits := e.Limits.Emitter(emitter); !was || !emits {
		return cell.Explanation{}, false
	}
	buckets := func(credential string, from history.Offset) []history.Bucket {
		return e.View.Buckets(history.CellKey{Source: e.Limits.JudgedAt, Presenter: emitter, Validator: validator, Credential: credential}, from, e.End+1)
	}
	fresh, old := buckets(e.Fresh, emitted), buckets(e.Old, emitted)
	first := slices.IndexFunc(fresh, func(b history.Bucket) bool { return b.OK > 0 })
	if first < 0 {
		return cell.Explanation{}, false
	}
	from := fresh[first].At
	back := slices.IndexFunc(old, func(b history.Bucket) bool { return b.Attempts > 0 && b.At > from+evidence.Nearly })
	if back < 0 || old[back].At > used+evidence.Nearly {
		return cell.Explanation{}, false
	}
	again := old[back].At
	var until, last history.Offset // last of the new one, and of the old one again
	var before, beside, after int64
	for _, b := range old[back:] {
		last, after = b.At+b.Width, after+b.Attempts
	}
	// What waits in it is presented beside the new one to its end, and not only until it is refused.
	end := max(used+1, last-evidence.Nearly)
	for _, b := range fresh[first:] {
		switch {
		case b.At < again+evidence.Nearly:
			until, before = b.At+b.Width, before+b.OK
		case b.At < end:
			beside += b.Attempts
		}
	}
	silent := float64(again - from - evidence.Nearly)
	stretch := last - again // in which to see whether it presents the new one beside it
	if before < evidence.LeastBeside || beside > 0 || stretch <= 2*evidence.Nearly || silent*float64(after)/float64(last-again) < evidence.LeastAttempts {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseWentBack, Consumer: emitter,
		Why: fmt.Sprintf("%s%s presented %s alone from %s to %s (%d times), and from then on %s again: something gave it the old one back",
			emitter, e.OffPage(emitter), e.Fresh, e.Moment(from), e.Moment(until), before, e.Old),
		Fix: fmt.Sprintf("find what gives %s the old value back (a controller that reconciles its Secret from a repository or another store, a deployment that was rolled back, a restored volume), and change that source in the same change as the rotation; revoke only when the use of %s is zero",
			emitter, e.Old),
	}, true
}
