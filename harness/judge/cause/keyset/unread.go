package keyset

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// UnreadSet matches where a validator fetched a set with the credential and kept its old one because it
// could not read the new one: the set has a key of nobody known here, or nothing that the validator
// keeps was in the set.
func UnreadSet(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	for _, fetch := range c.Fetches(v.Name, c.Start, c.Last) {
		if !slices.Contains(fetch.Credentials, c.Credential) || slices.Contains(fetch.Holds, c.Credential) {
			continue
		}
		strange := strangers(c.Evidence, fetch.Credentials)
		kept := slices.ContainsFunc(fetch.Holds, func(name string) bool { return !slices.Contains(fetch.Credentials, name) })
		if len(strange) == 0 && !kept {
			continue
		}
		because := ""
		if len(strange) > 0 {
			because = fmt.Sprintf(" since %s is in it", plan.List(strange))
			if since, ok := strangeSince(c.Evidence, strange[0]); ok {
				because += ", first seen at " + c.Moment(since)
			}
		}
		from := cmp.Or(fetch.From, v.From)
		return cell.Explanation{
			Cause: judge.CauseUnusableSet, Consumer: from,
			Why: fmt.Sprintf("%s%s fetched a set with %s from %s at %s and kept the one that it had: it could not use the new one%s", v.Name, c.OffPage(v.Name), c.Credential, from, c.Moment(fetch.At), because),
			Fix: fmt.Sprintf("let %s answer with keys that every library here can read (type, curve, algorithm), or give %s one that skips what it cannot read; try a set in each library before it is published", from, v.Name),
		}, true
	}
	return cell.Explanation{}, false
}

// strangers are the identifiers in a set that belong to no credential of the run.
func strangers(e *evidence.Evidence, set []string) []string {
	var found []string
	for _, name := range set {
		_, other := e.Others[name]
		if name != e.Old && name != e.Fresh && !other && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// strangeSince is when an identifier first appeared in any fetched set, where that was after the
// rotation began.
func strangeSince(e *evidence.Evidence, name string) (history.Offset, bool) {
	for _, event := range e.Events {
		if event.Kind == history.KindFetched && slices.Contains(event.Credentials, name) {
			first := event.At
			for at := range event.Times() {
				first = min(first, at)
			}
			return first, first > e.Start
		}
	}
	return 0, false
}

// SetNotUsed matches where a validator fetched the new credential and never took it, and still takes
// tokens signed with the old one after a set came without it.
func SetNotUsed(c *cell.Cell) (cell.Explanation, bool) {
	name := c.Validator.Name
	if !c.IsFresh() || c.Sum.OK > 0 || !c.View.OnlyFetched(name, c.Fresh) || c.View.Said(name, c.Old, history.Anew).Taken == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseSetNotUsed,
		Why: fmt.Sprintf("%s fetched it %s after it was accepted, never took it, and takes %s to the end: it goes on with the keys that it had, whatever it fetches",
			name, c.Page(c.LearnedAt-c.Accepted), c.Old),
		Fix: fmt.Sprintf("find out why %s does not use what it fetches (a comparison that finds nothing new, an error on the way), and prove %s by a canary before emitting: no lead is long enough", name, c.Fresh),
	}, true
}
