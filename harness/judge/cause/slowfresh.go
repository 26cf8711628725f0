package cause

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// slowFresh matches where a service failed its callers from its switch on, and the authority that it presents
// to answered the harness too only after a second or more with the new credential, and quickly with the old one:
// a caller that waits for less gives up.
func slowFresh(c *Cell) (Explanation, bool) {
	emitted, was := c.Begun(string(keyring.Emit), c.Fresh)
	if !was || c.First < emitted-evidence.Nearly || c.Limits.JudgedAt != history.FromAuthority {
		return Explanation{}, false
	}
	for _, key := range c.JudgedCells() {
		if key.Presenter != c.Validator.Name || key.Validator == c.Validator.Name {
			continue
		}
		fresh, asked := c.answerTimes(key.Validator, c.Fresh)
		old, askedOld := c.answerTimes(key.Validator, c.Old)
		if !asked || !askedOld || fresh.least < slowAnswer || old.most >= slowAnswer/4 {
			continue
		}
		v := key.Validator
		return Explanation{
			Cause: judge.CauseTimedOut, Consumer: v, Credential: c.Fresh,
			Why: fmt.Sprintf("%s took %s and more to answer rehearse itself with %s, and %s at most with %s: %s may give up sooner", v,
				fresh.least.Duration().Round(10*time.Millisecond), c.Fresh, old.most.Duration().Round(time.Millisecond), c.Old, c.Validator.Name),
			Fix: fmt.Sprintf("find out at %s why it is slow with %s (another plan, tier or region, a lookup that is not cached yet), and emit it only when it is as quick as %s", v, c.Fresh, c.Old),
		}, true
	}
	return Explanation{}, false
}

// span is the least and the most of some durations.
type span struct{ least, most history.Offset }

// answerTimes is how long a validator took to answer the harness with a credential; false where it never did.
func (c *Cell) answerTimes(validator, credential string) (took span, asked bool) {
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
