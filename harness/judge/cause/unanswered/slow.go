package unanswered

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// SlowFresh matches where a service failed its callers from its switch on, and the authority that it presents
// to answered the harness too only after a second or more with the new credential, and quickly with the old one:
// a caller that waits for less gives up.
func SlowFresh(c *cell.Cell) (cell.Explanation, bool) {
	emitted, was := c.Begun(keyring.Emit, c.Fresh)
	if !was || c.First < emitted-evidence.Nearly || c.Limits.JudgedAt != history.FromAuthority {
		return cell.Explanation{}, false
	}
	for _, key := range c.JudgedCells() {
		if key.Presenter != c.Validator.Name || key.Validator == c.Validator.Name {
			continue
		}
		fresh, asked := answerTimes(c, key.Validator, c.Fresh)
		old, askedOld := answerTimes(c, key.Validator, c.Old)
		if !asked || !askedOld || fresh.least < slowAnswer || old.most >= slowAnswer/4 {
			continue
		}
		v := key.Validator
		return cell.Explanation{
			Cause: judge.CauseTimedOut, Consumer: v, Credential: c.Fresh,
			Why: fmt.Sprintf("%s took %s and more to answer rehearse itself with %s, and %s at most with %s: %s may give up sooner", v,
				fresh.least.Duration().Round(10*time.Millisecond), c.Fresh, old.most.Duration().Round(time.Millisecond), c.Old, c.Validator.Name),
			Fix: fmt.Sprintf("find out at %s why it is slow with %s (another plan, tier or region, a lookup that is not cached yet), and emit it only when it is as quick as %s", v, c.Fresh, c.Old),
		}, true
	}
	return cell.Explanation{}, false
}

// span is the least and the most of some durations.
type span struct{ least, most history.Offset }

// answerTimes is how long a validator took to answer the harness with a credential; false where it never did.
func answerTimes(c *cell.Cell, validator, credential string) (took span, asked bool) {
	for _, event := range c.Events {
		p := event.Probe
		if event.Kind != history.KindProbe || event.Service != validator || event.Credential != credential || p.Outcome == history.Unavailable || p.Spoilt() || p.Session {
			continue
		}
		if !asked || p.Latency < took.least {
			took.least = p.Latency
		}
		took.most, asked = max(took.most, p.Latency), true
	}
	return took, asked
}

// slowAnswer is from when on a key set is slow: far above the usual time, and below what clients wait
// (2 s and more).
const slowAnswer = history.Offset(time.Second)

// SlowSet matches where the key set, on the validator's own way, came late or not at all while the
// validator failed its callers.
func SlowSet(c *cell.Cell) (cell.Explanation, bool) {
	if v, known := c.Limits.Validator(c.Validator.Name); known {
		c.Validator = v
	}
	place := c.Nearest()
	for _, reader := range []string{c.Validator.Name, ""} {
		var quick history.Offset
		for _, look := range c.LooksAt(place, reader) {
			set := look.Set
			late := set.Took >= slowAnswer || !set.Readable()
			if !late {
				quick = set.Took
				continue
			}
			// A look is recorded when it is over.
			if began := look.At - set.Took; began > c.Last || look.At+evidence.Nearly < c.First-slowAnswer {
				continue
			}
			what := fmt.Sprintf("took %s to answer", set.Took.Duration().Round(10*time.Millisecond))
			if !set.Readable() {
				what = fmt.Sprintf("gave no set (%s after %s)", set.Status, set.Took.Duration().Round(10*time.Millisecond))
			}
			why := fmt.Sprintf("the key set of %s, which %s has to wait for, %s", place, c.Validator.Name, what)
			if quick > 0 {
				why += fmt.Sprintf(", and %s before", quick.Duration().Round(time.Millisecond))
			}
			return cell.Explanation{
				Cause: judge.CauseSlowSet, Consumer: place, Why: why,
				Fix: fmt.Sprintf("let %s answer for its key set within what %s waits, and %s fetch it in the background, so that no request waits for it", place, c.Validator.Name, c.Validator.Name),
			}, true
		}
	}
	return cell.Explanation{}, false
}
