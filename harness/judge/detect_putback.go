package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// causedByPutBack is what such refusals begin with, which is no step of the rotation.
const causedByPutBack = "put-back"

// putBack matches where a database took the new password, and from a moment on
// refused it from everybody, with no step of the rotation that explains it: somebody
// else has set it. Of one presenter alone it is not known whose value is wrong.
func putBack(c *cell) (explanation, bool) {
	if !c.validator.Authority || !c.isFresh() || !runbook.Families[c.limits.Family].Pools {
		return explanation{}, false
	}
	if at, withdrawn := c.done(string(keyring.Withdraw), c.fresh); withdrawn && at <= c.last {
		return explanation{}, false
	}
	// Where there is room for one, the way back to the old one takes the new one away.
	if at, restored := c.begun(string(keyring.Restore), c.old); restored && c.validator.Keys == 1 && at <= c.last {
		return explanation{}, false
	}
	b, seen := c.brokenOff()
	if !seen || len(b.who) < 2 {
		return explanation{}, false
	}
	v := c.validator.Name
	told := explanation{
		cause: CausePutBack, causedBy: causedByPutBack, consumer: v,
		why: fmt.Sprintf("%s took %s until %s and refused it from everybody (%s) from %s on, and no step of this rotation came between: something put the old password back, or took the new one away",
			v, c.fresh, c.moment(b.taken.Milliseconds()), strings.Join(b.who, ", "), c.moment(b.refused.Milliseconds())),
		fix: fmt.Sprintf("find what else sets this login at %s (an operator that reconciles it from a Secret, Terraform, Ansible, a restored dump; the log of %s says who and when), change the password in that source in the same change as the rotation, then set %s again; the consumers are right",
			v, v, c.fresh),
	}
	if b.old > 0 {
		told.why += fmt.Sprintf("; it let somebody in with %s after that, at %s", c.old, c.moment(b.old.Milliseconds()))
	}
	return told, true
}

// brokenOff is that an authority stopped taking the new credential.
type brokenOff struct {
	taken, refused history.Offset // the last time that it took it, and the first that it refused it
	who            []string       // everybody whom it refused since
	old            history.Offset // when it took the old one after that; 0: nobody saw it do so
}

// reply is what a validator answered to somebody with a credential.
type reply struct {
	at              history.Offset
	who, credential string
	taken           bool
}

// replies are those of the cell's validator, a few of each time bucket: to whom was
// counted at the hop, and to the harness itself.
func (c *cell) replies() []reply {
	var all []reply
	for _, key := range c.hop() {
		if key.Validator != c.validator.Name {
			continue
		}
		for _, bucket := range c.view.Cells[key] {
			if bucket.OK > 0 {
				all = append(all, reply{bucket.At, key.Presenter, key.Credential, true})
			}
			if bucket.AuthFailures > 0 {
				all = append(all, reply{bucket.FirstFailure, key.Presenter, key.Credential, false})
			}
		}
	}
	for _, event := range c.events {
		if event.Kind == history.KindProbe && event.Service == c.validator.Name && !event.Probe.Session && event.Probe.Outcome != history.Unavailable {
			all = append(all, reply{event.At, "rehearse itself", event.Credential, event.Probe.Outcome == history.OK})
		}
	}
	return all
}

// brokenOff finds since when the validator of the cell refuses what it took; false
// where it never had taken it, or took it again before the cell's last refusal.
func (c *cell) brokenOff() (b brokenOff, seen bool) {
	replies := c.replies()
	for _, a := range replies {
		if a.taken && a.credential == c.fresh && a.at < c.first {
			b.taken = max(b.taken, a.at)
		}
	}
	if b.taken == 0 {
		return b, false
	}
	b.refused = c.first
	for _, a := range replies {
		switch {
		case a.credential == c.old && a.taken && a.at > c.first && b.old == 0:
			b.old = a.at
		case a.credential != c.fresh || a.at < b.taken:
		case a.taken && a.at > c.first+history.Offset(nearly) && a.at < c.last-history.Offset(nearly):
			return b, false
		case !a.taken:
			b.refused = min(b.refused, a.at)
			if !slices.Contains(b.who, a.who) {
				b.who = append(b.who, a.who)
			}
		}
	}
	slices.Sort(b.who)
	return b, true
}

// putBackBehind matches where a service gave no good answer since the database that
// it needs had its old password back.
func putBackBehind(c *cell) (explanation, bool) {
	for _, key := range c.hop() {
		sum := c.view.Sum(key, c.start, c.end+1)
		if key.Presenter != c.presenterBehind() || key.Credential != c.fresh || sum.AuthFailures == 0 ||
			sum.FirstFailure > c.last+history.Offset(nearly) || sum.LastFailure < c.first-history.Offset(nearly) {
			continue
		}
		if told, matches := putBack(c.refusal(key, &sum)); matches {
			return told, true
		}
	}
	return explanation{}, false
}
