package cause

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// lockedUnsaid matches where an authority still took the new credential after the old one was revoked, had then
// refused somebody the old one again and again, and has refused the new one from everybody since. That is how one
// looks that locks an account, and whose log does not say so: the step revoke has not taken the new one away.
func lockedUnsaid(c *Cell) (Explanation, bool) {
	done, was := c.Done(string(keyring.Revoke), c.Old)
	if !was || !c.Validator.Authority || !c.isFresh() || c.First <= done {
		return Explanation{}, false
	}
	after, since := c.repliesTo(c.Fresh, done, c.First-1), c.repliesTo(c.Fresh, c.First, c.End)
	who, n := c.refusedMost(c.Old, done, c.First)
	if after.taken == 0 || since.taken > 0 || len(since.who) < 2 || n < leastRefusedProbes {
		return Explanation{}, false
	}
	v := c.Validator.Name
	return Explanation{
		Cause: judge.CauseLockedOut, Consumer: who, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("%s took %s for %s after the revoke of %s, and has refused it from everybody since (%s); by then it had refused %s %d times with %s: as if it had locked the account for guessing, though its log does not say so",
			v, c.Fresh, c.Page(c.First-done), c.Old, strings.Join(since.who, ", "), who, n, c.Old),
		Fix: fmt.Sprintf("revoke only when the use of %s is zero, and have %s stop, or back off, once it is refused; ask the operators of %s whether it locks accounts, and if not, what else happened to %s then",
			c.Old, who, v, c.Fresh),
	}, true
}

// refusedMost is who was refused most often by the authority of the cell with a credential in [from, to], and how often.
func (c *Cell) refusedMost(credential string, from, to history.Offset) (who string, most int64) {
	for _, key := range c.JudgedCells() {
		if key.Validator == c.Validator.Name && key.Credential == credential {
			if n := c.View.Sum(key, from, to).AuthFailures; n > most {
				who, most = key.Presenter, n
			}
		}
	}
	return who, most
}

// lockedUnsaidAfter is lockedUnsaid, of what rehearse itself is refused after the revoke.
func lockedUnsaidAfter(c *Cell) (Explanation, bool) {
	for _, r := range c.replies() { // since when, of all that were refused it
		if done, _ := c.Done(string(keyring.Revoke), c.Old); r.credential == c.Fresh && !r.taken && r.at > done {
			c.First = min(c.First, r.at)
		}
	}
	told, matches := lockedUnsaid(c)
	told.Why, told.CausedBy = ": "+told.Why, ""
	return told, matches
}
