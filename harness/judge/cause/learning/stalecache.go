package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// StillStale matches where a validator had not learned the new credential at its last refusal, and
// still had time to by its bound.
func StillStale(c *cell.Cell) (cell.Explanation, bool) {
	v, g1, last := c.Validator, c.Limits.G1(c.Validator), c.Last-c.Accepted
	if !c.Late() || c.EverLearned || g1 == runbook.Forever || last >= history.Offset(c.Limits.Wall(g1)+v.Granule) {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseStaleCache,
		Why:   fmt.Sprintf("%s%s had not learned it %s after it was accepted, and the lead was %s; it may take %s", v.Name, c.OffPage(v.Name), c.Page(last), c.Page(c.Lead()), plan.Text(g1)),
		Fix:   c.FixLead(),
	}, true
}

// NeverLearned matches where a validator never took the new credential.
func NeverLearned(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Late() || c.EverLearned || c.Validator.Authority || tookSome(c) {
		return cell.Explanation{}, false
	}
	v, page := c.Validator, ""
	if !v.OnPage {
		page = "put " + v.Name + " on the page and "
	}
	who := v.Name
	if page != "" {
		who = "it"
	}
	if v.Reads {
		return cell.Explanation{
			Cause: judge.CauseNeverLearned,
			Why:   fmt.Sprintf("%s%s never took it: %s", v.Name, c.OffPage(v.Name), lastLoaded(c.Evidence, v.Name)),
			Fix:   fmt.Sprintf("%shave %s read what is published again during the lead (a reload, a signal, a restart), and check that it did before emitting", page, who),
		}, true
	}
	return cell.Explanation{
		Cause: judge.CauseNeverLearned,
		Why:   fmt.Sprintf("%s%s never learned it: %s", v.Name, c.OffPage(v.Name), LastFetch(c.Evidence, v.Name)),
		Fix:   fmt.Sprintf("%smake %s fetch the set again, or reload it during the lead%s", page, who, noLead(c)),
	}, true
}

// tookSome reports whether a validator of which only answers are seen took the new credential from the
// cell's presenter, or at the end from the harness: it has learned it. What it took while the old one was
// accepted is none, where the harness was refused the new one alone and nobody was let in with it since: a
// sender may have signed with both.
func tookSome(c *cell.Cell) bool {
	if c.HasFetches(c.Validator.Name) {
		return false
	}
	canary, after := c.View.Said(c.Validator.Name, c.Fresh, history.Canary), c.View.Said(c.Validator.Name, c.Fresh, history.NewAfter)
	if revoked, was := c.RevokedAt(); was && c.Validator.Reads && canary.Refused > 0 && canary.Taken+after.Taken == 0 {
		return c.View.Sum(c.Key(), max(revoked+evidence.Nearly, c.First+evidence.BucketWidth), c.End+1).OK > 0
	}
	return c.Sum.OK >= evidence.LeastAttempts || after.Taken > 0
}

// onlyAtItsStart is why a lead may not help: a run cannot tell what is read seldom from what is read once.
const onlyAtItsStart = ": it read the set at its start and not again in this run; for one that reads it only then, no lead is long enough"

// noLead adds that no lead helps a validator that read its set at its start and not since the rotation
// began.
func noLead(c *cell.Cell) string {
	if v := c.Validator.Name; c.HasFetches(v) && len(c.Fetches(v, c.Start, c.End)) == 0 {
		return onlyAtItsStart
	}
	return ""
}

// StaleCache matches where a validator learned the new credential after its first use, and nothing else
// made it late. One that refuses nearly everything even afterwards has another reason.
func StaleCache(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Late() || refusesOn(c) {
		return cell.Explanation{}, false
	}
	name := c.Validator.Name
	if c.Validator.Authority {
		return tellTookLate(c), true
	}
	fix := c.FixLead()
	if onlyAlone(c) {
		return cell.Explanation{
			Cause: judge.CauseStaleCache,
			Why: fmt.Sprintf("%s%s took it only when %s was revoked, %s after %s was accepted, and the lead was %s: nothing shows whether it looks so seldom, or cannot use a set with both",
				name, c.OffPage(name), c.Old, c.Page(c.LearnedAt-c.Accepted), c.Fresh, c.Page(c.Lead())),
			Fix: fmt.Sprintf("find out which, in the log of %s from %s on: if it cannot use a set with both (room for one, too large, a key that it does not read), mend that, since no lead is long enough; if it looks so seldom, write that on the page, and publish more than %s before emitting (lead)",
				name, c.Moment(c.Accepted), c.AtLeast(c.LearnedAt-c.Accepted)),
		}, true
	}
	if mend, kept := keptFromLearning(c); kept {
		fix = fmt.Sprintf("%s, and emit only when %s has shown that it takes %s (gates: enforce)", mend, name, c.Fresh)
	}
	return cell.Explanation{
		Cause: judge.CauseStaleCache,
		Why:   fmt.Sprintf("%s%s learned it %s after it was accepted, and the lead was %s", name, c.OffPage(name), c.Page(c.LearnedAt-c.Accepted), c.Page(c.Lead())) + wentOn(c),
		Fix:   fix,
	}, true
}

// keptFromLearning is the cure where a fault held the validator back for longer than the page allows,
// and it learned when the fault was over.
func keptFromLearning(c *cell.Cell) (mend string, kept bool) {
	bound := c.Limits.G1(c.Validator)
	if c.LearnedAt-c.Accepted <= history.Offset(c.Limits.Wall(min(bound, c.Limits.Lead)))+evidence.Nearly {
		return "", false // not late by the page
	}
	for _, r := range c.Near(c.Accepted, c.LearnedAt, c.Validator.Name) {
		if r.Kind == "hold-back" {
			return fmt.Sprintf("mend what kept %s from what is published (here the fault %s on %s)", c.Validator.Name, r.Kind, r.Target), true
		}
	}
	return "", false
}

// wentOn is the half sentence about a validator that refused nearly everything for a while after it had
// learned the credential, and then took it.
func wentOn(c *cell.Cell) string {
	from := c.LearnedAt + 2*evidence.Nearly
	if c.BySight || c.Last < from+evidence.Nearly {
		return ""
	}
	key := c.Key()
	if sum := c.View.Sum(key, from, c.Last+1); sum.AuthFailures < evidence.LeastAttempts || nearlyAll*sum.OK > sum.AuthFailures {
		return ""
	}
	return fmt.Sprintf("; it refused it for %s more, like a validator that caches its failure to find a key", c.Page(c.Last-c.LearnedAt))
}

// onlyAlone reports whether a validator of which only answers are seen took the new credential later
// than the page says, and within its time to learn after the revoke of the old one: it may have waited
// for that.
func onlyAlone(c *cell.Cell) bool {
	revoked, done := c.RevokedAt()
	learns := history.Offset(c.Limits.Wall(c.Validator.Learns)+c.Validator.Granule) + evidence.Nearly
	late := c.LearnedAt-c.Accepted > history.Offset(c.Limits.Wall(c.Limits.G1(c.Validator)))+evidence.Nearly
	return c.BySight && done && late && c.Validator.Learns != runbook.Forever && c.LearnedAt >= revoked && c.LearnedAt <= revoked+learns
}

// refusesOn reports whether the validator went on refusing nearly everything after it had learned the
// credential, or took it from nobody at all.
func refusesOn(c *cell.Cell) bool {
	if NeverTook(c) {
		return true
	}
	key := c.Key()
	after := c.View.Sum(key, c.LearnedAt+2*evidence.Nearly, c.End+1)
	return after.AuthFailures > 0 && nearlyAll*after.OK < after.AuthFailures
}

// NeverTook reports whether a validator that is known to have learned the credential by its fetch alone
// refused it afterwards to everybody.
func NeverTook(c *cell.Cell) bool {
	name, refused := c.Validator.Name, false
	for _, event := range c.Events {
		switch {
		case event.Service != name || event.Credential != c.Fresh:
		case event.Kind == history.KindLearned && event.What != history.OfFetch:
			return false
		case event.Kind == history.KindProbe && event.Probe.Outcome == history.OK:
			return false
		case event.Kind == history.KindProbe && event.Probe.Outcome == history.AuthFailure:
			refused = refused || event.At > c.LearnedAt
		}
	}
	_, took := c.LastTook(name)
	return refused && !took && !c.BySight
}

// nearlyAll is the ratio of refusals to acceptances from which nearly everything counts as refused.
const nearlyAll = 10

// tellTookLate is an explanation of an authority that took the new credential after the lead. Where nobody presented that
// for a while after it was last refused, as under a circuit breaker, the first that was taken is the latest moment, and
// the figure is no more than a bound.
func tellTookLate(c *cell.Cell) cell.Explanation {
	name := c.Validator.Name
	refused, taken := takenBetween(c)
	after := "only " + c.Page(taken-c.Accepted) + " after it was accepted"
	if taken-refused > 2*evidence.Nearly {
		after = fmt.Sprintf("at most %s after it was accepted (it refused it until %s after that, and then nobody presented it for %s)",
			c.Page(taken-c.Accepted), c.Page(refused-c.Accepted), c.Page(taken-refused))
	}
	revoked, was := c.RevokedAt()
	if done, _ := c.Done(keyring.Revoke, c.Old); was && taken >= revoked-evidence.Nearly && taken <= done+evidence.Nearly {
		return cell.Explanation{
			Cause: judge.CauseStaleCache,
			Why:   fmt.Sprintf("%s took it only when %s was revoked, %s after it was accepted, and the lead was %s: that step may have done what the step accept should have (a reload, a restart), or made room for it", name, c.Old, c.Page(taken-c.Accepted), c.Page(c.Lead())),
			Fix: fmt.Sprintf("see what the step revoke does at %s that the step accept leaves out, do it in accept, and let the gate of verify wait for %s; if it has room for one, no lead is long enough; only if it takes a new one so late by itself, emit at least %s after accepting (rollout.lead)",
				name, name, c.AtLeast(taken-c.Accepted)),
		}
	}
	return cell.Explanation{
		Cause: judge.CauseStaleCache,
		Why:   fmt.Sprintf("%s took it %s, and the lead was %s", name, after, c.Page(c.Lead())),
		Fix:   fmt.Sprintf("emit at least %s after accepting (rollout.lead), and let the gate of verify wait for %s; ask its operators how late a new one may be taken", c.AtLeast(taken-c.Accepted), name),
	}
}

// takenBetween is when an authority last refused the new credential before it took it, and when it was first seen to take
// it; the moment that is known, twice, where the two lie as close as it is counted.
func takenBetween(c *cell.Cell) (refused, taken history.Offset) {
	taken = c.End
	for _, r := range c.Replies() {
		if r.Credential == c.Fresh && !r.Taken && r.At <= c.LearnedAt {
			refused = max(refused, r.At)
		}
	}
	for _, r := range c.Replies() {
		if r.Credential == c.Fresh && r.Taken && r.At > refused {
			taken = min(taken, r.At)
		}
	}
	if refused <= c.Accepted || taken-refused <= 2*evidence.Nearly {
		return c.LearnedAt, c.LearnedAt
	}
	return refused, taken
}

// TookLate matches where an authority refused the new credential from everybody, the harness among them, until
// a moment, and took it from then on, too seldom asked for more to be seen: a standby that lags does so.
func TookLate(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Validator.Authority || !c.IsFresh() || c.EverLearned {
		return cell.Explanation{}, false
	}
	taken, last, refused := c.End, history.Offset(0), history.Offset(0)
	for _, r := range c.Replies() {
		switch {
		case r.Credential != c.Fresh:
		case r.Taken:
			taken, last = min(taken, r.At), max(last, r.At)
		default:
			refused = max(refused, r.At)
		}
	}
	who := c.RepliesTo(c.Fresh, c.Start, c.End).Who
	// What was taken is known to the bucket in which it was, what was refused to the moment.
	if taken+evidence.BucketWidth < refused || last <= refused || len(who) < 2 || !slices.Contains(who, cell.Itself) {
		return cell.Explanation{}, false
	}
	c.LearnedAt = max(taken, refused)
	return tellTookLate(c), true
}

// LastFetch is the half sentence about when a validator last fetched a set.
func LastFetch(e *evidence.Evidence, validator string) string {
	fetches := e.Fetches(validator, 0, e.End)
	v, _ := e.Limits.Validator(validator)
	if len(fetches) == 0 && (v.Blind || v.Reads || e.Limits.Attached()) {
		return "no log tells what it fetched, or when"
	}
	if len(fetches) == 0 {
		return "it fetched no set"
	}
	last := fetches[len(fetches)-1].At
	if last < e.Start {
		return "it has not fetched the set since it was started"
	}
	return "its last fetch was at " + e.Moment(last)
}

// lastLoaded is the half sentence about when a party last took what is published.
func lastLoaded(e *evidence.Evidence, party string) string {
	for _, event := range slices.Backward(e.Events) {
		if event.Kind == history.KindLoaded && event.Service == party {
			return fmt.Sprintf("it still has what was published at its last read, at %s", e.Moment(event.At))
		}
	}
	return "no log says when it last read what is published"
}
