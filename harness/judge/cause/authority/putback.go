package authority

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// causedByPutBack is the CausedBy of such refusals, which is no step of the rotation.
const causedByPutBack = "put-back"

// PutBack matches where an authority took the new credential and from a moment on refused it from
// everybody, without a step of the rotation that explains it: somebody else has set it. With a single
// presenter it is unknown whose value is wrong.
func PutBack(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Validator.Authority || !c.IsFresh() {
		return cell.Explanation{}, false
	}
	if at, withdrawn := c.Done(keyring.Withdraw, c.Fresh); withdrawn && at <= c.Last {
		return cell.Explanation{}, false
	}
	// With room for one, restoring the old credential removes the new one.
	if at, restored := c.Begun(keyring.Restore, c.Old); restored && c.Validator.Keys == 1 && at <= c.Last {
		return cell.Explanation{}, false
	}
	b, seen := breakOff(c)
	if !seen || len(b.who) < 2 {
		return cell.Explanation{}, false
	}
	v := c.Validator.Name
	told := cell.Explanation{
		Cause: judge.CausePutBack, CausedBy: causedByPutBack, Consumer: v,
		Why: fmt.Sprintf("%s took %s until %s and refused it from everybody (%s) from %s on, and no step of this rotation came between: something put the old password back, or took the new one away",
			v, c.Fresh, c.Moment(b.taken), strings.Join(b.who, ", "), c.Moment(b.refused)),
		Fix: fmt.Sprintf("find what else sets this login at %s (an operator that reconciles it from a Secret, Terraform, Ansible, a restored dump, a failover to a server that was not given it, an expired password: VALID UNTIL; the log of %s says who and when), change the password in that source in the same change as the rotation, then set %s again; the consumers are right",
			v, v, c.Fresh),
	}
	if !runbook.Traits[c.Limits.Family].Pools {
		told.Why = fmt.Sprintf("%s took %s until %s and refused it from everybody (%s) from %s on, and no step of this rotation came between: something took it away, or %s let everybody in until then, like a service that cannot look keys up",
			v, c.Fresh, c.Moment(b.taken), strings.Join(b.who, ", "), c.Moment(b.refused), v)
		told.Fix = fmt.Sprintf("check the state of %s at %s (never accepted, disabled, expired, deleted by another job), and at whether %s refuses at all while it has no list of keys; try %s by hand until it is taken for longer than that, then rehearse again",
			c.Fresh, v, v, c.Fresh)
	}
	if b.old > 0 {
		told.Why += fmt.Sprintf("; it let somebody in with %s after that, at %s", c.Old, c.Moment(b.old))
	}
	return told, true
}

// brokenOff says that an authority stopped taking the new credential.
type brokenOff struct {
	taken, refused history.Offset // its last acceptance, and its first refusal
	who            []string       // everybody that it refused since
	old            history.Offset // when it took the old one after that; 0: not seen
}

// breakOff finds since when the cell's validator refuses what it took; false where it never took it,
// or took it again before the cell's last refusal.
func breakOff(c *cell.Cell) (b brokenOff, seen bool) {
	replies := c.Replies()
	for _, a := range replies {
		if a.Taken && a.Credential == c.Fresh && a.At < c.First {
			b.taken = max(b.taken, a.At)
		}
	}
	if b.taken == 0 {
		return b, false
	}
	b.refused = c.First
	withdrawn, gone := c.Begun(keyring.Withdraw, c.Fresh)
	for _, a := range replies {
		switch {
		case gone && a.Credential == c.Fresh && a.At >= withdrawn: // by this rotation
		case a.Credential == c.Old && a.Taken && a.At > c.First && b.old == 0:
			b.old = a.At
		case a.Credential != c.Fresh || a.At < b.taken:
		case a.Taken && a.At > c.First+evidence.Nearly && a.At < c.Last-evidence.Nearly:
			return b, false
		case !a.Taken:
			b.refused = min(b.refused, a.At)
			if !slices.Contains(b.who, a.Who) {
				b.who = append(b.who, a.Who)
			}
		}
	}
	slices.Sort(b.who)
	return b, true
}

// PutBackBehind matches where a service gave no good answer since somebody put its database's old
// password back.
func PutBackBehind(c *cell.Cell) (cell.Explanation, bool) {
	if !runbook.Traits[c.Limits.Family].Pools {
		return cell.Explanation{}, false // the finding about the refusals tells this, as for a locked account
	}
	for _, key := range c.JudgedCells() {
		sum := c.View.Sum(key, c.Start, c.End+1)
		if key.Presenter != c.PresenterBehind() || key.Credential != c.Fresh || sum.AuthFailures == 0 ||
			sum.FirstFailure > c.Last+evidence.Nearly || sum.LastFailure < c.First-evidence.Nearly {
			continue
		}
		if told, matches := PutBack(cell.Refusal(c.Evidence, key, &sum)); matches {
			return told, true
		}
	}
	return cell.Explanation{}, false
}
