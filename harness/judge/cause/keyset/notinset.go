package keyset

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// FreshNotInSet matches where a validator fetched after the new credential was published, and got a set
// without it.
func FreshNotInSet(c *cell.Cell) (cell.Explanation, bool) {
	if !c.IsFresh() {
		return cell.Explanation{}, false
	}
	fetch, ok := notInSet(c, c.Published+evidence.Nearly, c.First+evidence.Nearly)
	if !ok {
		return cell.Explanation{}, false
	}
	return tellNotInSet(c, fetch), true
}

// LostNotInSet matches where a validator that had an accepted credential was then given a set without
// it.
func LostNotInSet(c *cell.Cell) (cell.Explanation, bool) {
	if !c.HadIt() {
		return cell.Explanation{}, false
	}
	fetch, ok := notInSet(c, c.Start, c.First+evidence.Nearly)
	if !ok {
		return cell.Explanation{}, false
	}
	told := tellNotInSet(c, fetch)
	told.CausedBy = c.FaultAtTheSource()
	return told, true
}

// notInSet is the last fetch between two moments, and before the credential was withdrawn, if its set
// lacked a credential that was in use.
func notInSet(c *cell.Cell, from, to history.Offset) (fetch history.Event, ok bool) {
	if withdrawn, gone := c.Begun(keyring.Withdraw, c.Credential); gone {
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
func tellNotInSet(c *cell.Cell, fetch history.Event) cell.Explanation {
	v, what := c.Validator, "a set without "+c.Credential
	if len(fetch.Credentials) == 0 {
		what = "an empty set"
	}
	return cell.Explanation{
		Cause: judge.CauseNotInSet, Consumer: v.From,
		Why: fmt.Sprintf("%s asked %s for the set at %s, was answered with %s, and kept that until it fetched again", v.Name, v.From, c.Moment(fetch.At), what),
		Fix: fmt.Sprintf("let %s answer with all that is accepted or with an error: on an error most libraries keep the set that they have, and an empty set they believe", v.From),
	}
}
