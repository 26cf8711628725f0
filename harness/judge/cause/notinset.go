package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// freshNotInSet matches where a validator fetched after the new credential was published, and got a set
// without it.
func freshNotInSet(c *Cell) (Explanation, bool) {
	if !c.isFresh() {
		return Explanation{}, false
	}
	fetch, ok := c.notInSet(c.Published+evidence.Nearly, c.First+evidence.Nearly)
	if !ok {
		return Explanation{}, false
	}
	return c.tellNotInSet(fetch), true
}

// lostNotInSet matches where a validator that had an accepted credential was then given a set without
// it.
func lostNotInSet(c *Cell) (Explanation, bool) {
	if !c.lost() {
		return Explanation{}, false
	}
	fetch, ok := c.notInSet(c.Start, c.First+evidence.Nearly)
	if !ok {
		return Explanation{}, false
	}
	told := c.tellNotInSet(fetch)
	told.CausedBy = c.faultAtTheSource()
	return told, true
}

// lost reports whether a validator refused an accepted credential that it had: the new one after it had
// learned it, or the old one before its revoke.
func (c *Cell) lost() bool {
	if c.isFresh() {
		return c.learnedBefore()
	}
	return c.beforeRevoke(c.Sum)
}

// faultAtTheSource is the fault in effect at the validator's source of keys when the cell began to
// suffer; "" where there was none.
func (c *Cell) faultAtTheSource() string {
	if faults := c.Near(c.First-evidence.Nearly, c.First+evidence.Nearly, c.Validator.From, c.Validator.Via); len(faults) > 0 {
		return faults[0].Kind
	}
	return ""
}

// notInSet is the last fetch between two moments, and before the credential was withdrawn, if its set
// lacked a credential that was in use.
func (c *Cell) notInSet(from, to history.Offset) (fetch history.Event, ok bool) {
	if withdrawn, gone := c.Begun(string(keyring.Withdraw), c.Credential); gone {
		to = min(to, withdrawn)
	}
	fetches := c.Fetches(c.Validator.Name, from, to)
	if len(fetches) == 0 {
		return history.Event{}, false
	}
	fetch = fetches[len(fetches)-1]
	return fetch, fetch.From == c.Validator.From && !slices.Contains(fetch.Credentials, c.Credential)
}

// tellNotInSet tells of that fetch.
func (c *Cell) tellNotInSet(fetch history.Event) Explanation {
	v, what := c.Validator, "a set without "+c.Credential
	if len(fetch.Credentials) == 0 {
		what = "an empty set"
	}
	return Explanation{
		Cause: judge.CauseNotInSet, Consumer: v.From,
		Why: fmt.Sprintf("%s asked %s for the set at %s, was answered with %s, and kept that until it fetched again", v.Name, v.From, fetch.At, what),
		Fix: fmt.Sprintf("let %s answer with all that is accepted or with an error: on an error most libraries keep the set that they have, and an empty set they believe", v.From),
	}
}
