package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// oneSlot matches where a validator fetched a set with the credential and did not keep it, before the
// failures ended.
func oneSlot(c *Cell) (Explanation, bool) {
	dropped := slices.ContainsFunc(c.Fetches(c.Validator.Name, c.Start, c.Last), func(fetch history.Event) bool {
		return slices.Contains(fetch.Credentials, c.Credential) && !slices.Contains(fetch.Holds, c.Credential)
	})
	if !dropped {
		return Explanation{}, false
	}
	name := c.Validator.Name
	return Explanation{
		Cause: judge.CauseOneSlot,
		Why:   fmt.Sprintf("%s%s fetched a set with %s in it and kept only another key: it holds one key at a time", name, c.OffPage(name), c.Credential),
		Fix:   fmt.Sprintf("let %s hold every key of the set before the next rotation; with one slot, no lead or window is long enough", name),
	}, true
}

// oneAtATime matches where a validator whose fetches nobody sees has room for one credential: it
// refused the new one in every answer at the end of the lead, and the old one, before its revoke, from
// when it took the new one, or when the harness last showed it.
func oneAtATime(c *Cell) (Explanation, bool) {
	name := c.Validator.Name
	canary := c.View.Said(name, c.Fresh, history.Canary)
	from, until := c.emitting()
	if c.HasFetches(name) || canary.Refused < leastMixed || canary.Taken > 0 || c.First < from || c.First >= until {
		return Explanation{}, false
	}
	if set, seen := c.setAt(c.nearest(), c.First); seen && !slices.Contains(set.Credentials(), c.Old) {
		return Explanation{}, false // the publisher has one at a time
	}
	old, fresh := history.Offset(0), history.Offset(0) // first refused, first taken
	for _, key := range c.JudgedCells() {
		for _, b := range c.View.Buckets(key, from, until) {
			switch {
			case key.Validator != name:
			case key.Credential == c.Old && b.AuthFailures > 0 && (old == 0 || b.At < old):
				old = b.At
			case key.Credential == c.Fresh && b.OK > 0 && (fresh == 0 || b.At < fresh):
				fresh = b.At
			}
		}
	}
	when := "from its switch on"
	if still := c.View.Said(name, c.Old, history.Still); still.Refused >= leastMixed && still.Taken == 0 {
		when = fmt.Sprintf("in all of %d after the emit", still.Asked())
	} else if about := evidence.Nearly; old == 0 || old > fresh+about || fresh > old+about {
		return Explanation{}, false
	}
	if fresh == 0 {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseOneSlot,
		Why: fmt.Sprintf("%s%s refused %s in all of %d answers at the end of the lead, and %s %s, before it was revoked: it takes one at a time",
			name, c.OffPage(name), c.Fresh, canary.Asked(), c.Old, when),
		Fix: fmt.Sprintf("before the next rotation, let %s hold every accepted one and try each; with one at a time, no lead or window is long enough", name),
	}, true
}

// emitting is the time from the emit until the revoke.
func (e *Case) emitting() (from, until history.Offset) {
	from, _ = e.Begun(string(keyring.Emit), e.Fresh)
	until, revoked := e.Begun(string(keyring.Revoke), e.Old)
	if !revoked {
		until = e.End + 1
	}
	return from, until
}
