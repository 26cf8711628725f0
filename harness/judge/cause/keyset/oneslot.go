package keyset

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// OneSlot matches where a validator fetched a set with the credential and did not keep it, before the
// failures ended.
func OneSlot(c *cell.Cell) (cell.Explanation, bool) {
	dropped := slices.ContainsFunc(c.Fetches(c.Validator.Name, c.Start, c.Last), func(fetch history.Event) bool {
		return slices.Contains(fetch.Credentials, c.Credential) && !slices.Contains(fetch.Holds, c.Credential)
	})
	if !dropped {
		return cell.Explanation{}, false
	}
	name := c.Validator.Name
	return cell.Explanation{
		Cause: judge.CauseOneSlot,
		Why:   fmt.Sprintf("%s%s fetched a set with %s in it and kept only another key: it holds one key at a time", name, c.OffPage(name), c.Credential),
		Fix:   fmt.Sprintf("let %s hold every key of the set before the next rotation; with one slot, no lead or window is long enough", name),
	}, true
}

// OneAtATime matches where a validator whose fetches nobody sees has room for one credential: it
// refused the new one in every answer at the end of the lead, and the old one, before its revoke, from
// when it took the new one, or when the harness last showed it.
func OneAtATime(c *cell.Cell) (cell.Explanation, bool) {
	name := c.Validator.Name
	canary := c.View.Said(name, c.Fresh, history.Canary)
	from, until := c.EmitToRevoke()
	if c.HasFetches(name) || canary.Refused < cell.LeastMixed || canary.Taken > 0 || c.First < from || c.First >= until {
		return cell.Explanation{}, false
	}
	if set, seen := c.SetAt(c.Nearest(), c.First); seen && !slices.Contains(set.Credentials(), c.Old) {
		return cell.Explanation{}, false // the publisher has one at a time
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
	if still := c.View.Said(name, c.Old, history.Still); still.Refused >= cell.LeastMixed && still.Taken == 0 {
		when = fmt.Sprintf("in all of %d after the emit", still.Asked())
	} else if about := evidence.Nearly; old == 0 || old > fresh+about || fresh > old+about {
		return cell.Explanation{}, false
	}
	if fresh == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseOneSlot,
		Why: fmt.Sprintf("%s%s refused %s in all of %d answers at the end of the lead, and %s %s, before it was revoked: it takes one at a time",
			name, c.OffPage(name), c.Fresh, canary.Asked(), c.Old, when),
		Fix: fmt.Sprintf("before the next rotation, let %s hold every accepted one and try each; with one at a time, no lead or window is long enough", name),
	}, true
}

// OneSignature matches where a delivery that has a signature of each accepted secret was
// refused though the receiver has the old one, from the accept on and no longer than it may
// take to learn the new one: it looks at one of the signatures.
func OneSignature(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	if !c.Several(c.Presenter) || c.IsFresh() || !c.BeforeRevoke(c.Sum) || v.Learns == runbook.Forever || c.Accepted == 0 || c.First < c.Accepted {
		return cell.Explanation{}, false
	}
	due := c.Accepted + history.Offset(c.Limits.Wall(max(v.Learns, v.Rereads)+c.Limits.Propagation)) + evidence.Nearly
	if c.EverLearned && !c.Shown {
		due = c.LearnedAt + evidence.Nearly
	}
	if c.Last > due || c.View.Said(v.Name, c.Fresh, history.Canary).Taken == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseOneSignature, CausedBy: "accept",
		Why: fmt.Sprintf("deliveries have a signature of %s and one of %s from the accept on, and %s refused them until it had %s: it checks one of several signatures, not each", c.Old, c.Fresh, v.Name, c.Fresh),
		Fix: fmt.Sprintf("have %s take a delivery of which any signature fits any secret that it has: no lead helps, since the sender signs with both from the accept on", v.Name),
	}, true
}
