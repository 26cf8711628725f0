package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// freshNotInSet matches where a validator asked for the set after the new
// credential was published, and was answered with one without it.
func freshNotInSet(c *cell) (explanation, bool) {
	if !c.isFresh() {
		return explanation{}, false
	}
	fetch, there := c.notInSet(c.published+history.Offset(nearly), c.first+history.Offset(nearly))
	if !there {
		return explanation{}, false
	}
	return c.tellNotInSet(fetch), true
}

// lostNotInSet matches where a validator had a credential, which is accepted, and
// was then answered with a set without it.
func lostNotInSet(c *cell) (explanation, bool) {
	if !c.lost() {
		return explanation{}, false
	}
	fetch, there := c.notInSet(c.start, c.first+history.Offset(nearly))
	if !there {
		return explanation{}, false
	}
	told := c.tellNotInSet(fetch)
	told.causedBy = c.faultAtTheSource()
	return told, true
}

// lost says that a validator refused a credential that it had, and that was
// accepted: the new one after it had learned it, or the old one before its revoke.
func (c *cell) lost() bool {
	if c.isFresh() {
		return c.learnedBefore()
	}
	return c.beforeRevoke(c.sum)
}

// faultAtTheSource is the fault that was in effect, when the cell began to
// suffer, where the validator's keys come from; "" where there was none.
func (c *cell) faultAtTheSource() string {
	if faults := c.near(c.first-history.Offset(nearly), c.first+history.Offset(nearly), c.validator.From, c.validator.Via); len(faults) > 0 {
		return faults[0].Kind
	}
	return ""
}

// notInSet is the last fetch between two moments, if it was answered with a set
// without a credential that was in use.
func (c *cell) notInSet(from, to history.Offset) (fetch history.Event, there bool) {
	fetches := c.fetches(c.validator.Name, from, to)
	if len(fetches) == 0 {
		return history.Event{}, false
	}
	fetch = fetches[len(fetches)-1]
	return fetch, fetch.From == c.validator.From && !slices.Contains(fetch.Credentials, c.credential)
}

// tellNotInSet tells of such a fetch.
func (c *cell) tellNotInSet(fetch history.Event) explanation {
	v, what := c.validator, "a set without "+c.credential
	if len(fetch.Credentials) == 0 {
		what = "an empty set"
	}
	return explanation{
		cause: CauseNotInSet, consumer: v.From,
		why: fmt.Sprintf("%s asked %s for the set at %s, was answered with %s, and kept that until it fetched again", v.Name, v.From, fetch.At, what),
		fix: fmt.Sprintf("let %s answer with all that is accepted or with an error: of an error most libraries keep what they have, and an empty set they take for the truth", v.From),
	}
}
