package learning

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// LostInOutage matches where a validator that had an accepted credential no longer had it after it
// asked for the set in vain: its copy had expired, or was dropped.
func LostInOutage(c *cell.Cell) (cell.Explanation, bool) {
	from, how, _ := c.InVain(c.First-evidence.Nearly, c.First+evidence.Nearly)
	if r, cut := c.CutFromSource(c.First, c.First); cut && how == "" && r.From != "" && c.HadIt() { // nobody sees its fetches
		return cell.Explanation{
			Cause: judge.CauseSourceDown, Consumer: r.Target, CausedBy: r.Kind,
			Why: fmt.Sprintf("%s could not fetch the set because of the fault %s on %s, and no longer had %s by then", c.Validator.Name, r.Kind, r.Target, c.Credential),
			Fix: fmt.Sprintf("mend %s before going on, and let %s keep the set that it has for as long as it gets no other", r.Target, c.Validator.Name),
		}, true
	}
	place := c.Nearest()
	if status, fails := c.FailsAt(place, c.First); fails && c.HadIt() && how == "" && c.Validator.Blind {
		return cell.Explanation{
			Cause: judge.CauseSourceDown, Consumer: place,
			Why: fmt.Sprintf("%s gave no set when looked at then (%s), and %s no longer had %s: no log tells when it fetched", place, status, c.Validator.Name, c.Credential),
			Fix: fmt.Sprintf("bring %s back before going on, and let %s keep the set that it has for as long as it gets no other", place, c.Validator.Name),
		}, true
	}
	if !c.HadIt() || how == "" {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseSourceDown, Consumer: c.OrTheWay(c.Validator.Name, from, c.First), CausedBy: c.FaultAtTheSource(),
		Why: fmt.Sprintf("%s asked %s for the set and got none (%s), and no longer had %s by then", c.Validator.Name, from, how, c.Credential),
		Fix: fmt.Sprintf("bring %s back before going on, and let %s keep the set that it has for as long as it gets no other", from, c.Validator.Name),
	}, true
}

// FailedFetch matches where a validator's fetch failed, so that it learned the new key only later: its
// timed fetch before the emit, or the one that an unknown key caused.
func FailedFetch(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Late() {
		return cell.Explanation{}, false
	}
	v, from, to, what := c.Validator, c.Accepted, c.Emitted, "the set"
	if v.Reads {
		what = "what is published"
	}
	fix := fmt.Sprintf("emit only when %s has shown that it takes %s (gates: enforce), or at least %s after accepting", v.Name, c.Fresh, c.AtLeast(c.LearnedAt-c.Accepted))
	if v.OnMiss {
		from, to = c.First-evidence.Nearly, c.LearnedAt
		fix = fmt.Sprintf("show a canary of %s to %s before emitting (gates: enforce), so that it need not fetch then", c.Fresh, v.Name)
	}
	for _, event := range c.Events {
		if event.Kind != history.KindFetchFailed || event.Service != v.Name || event.At <= from || event.At > to {
			continue
		}
		if r, cut := c.CutFromSource(event.At, event.At); cut {
			fix = fmt.Sprintf("mend %s (here the fault %s), and emit only when %s has shown that it takes %s (gates: enforce)", r.Target, r.Kind, v.Name, c.Fresh)
		}
		return cell.Explanation{
			Cause: judge.CauseSourceDown, Consumer: c.OrTheWay(v.Name, event.From, event.At), Fix: fix,
			Why: fmt.Sprintf("%s asked %s for %s %s after %s was accepted and got none (%s); it learned it %s after it was accepted, and the lead was %s",
				v.Name, event.From, what, c.Page(event.At-c.Accepted), c.Fresh, event.Detail, c.Page(c.LearnedAt-c.Accepted), c.Page(c.Lead())),
		}, true
	}
	return cell.Explanation{}, false
}

// CutOffSource matches where a fault kept a validator from the set when its fetch was due, before the
// emit, and it learned only after the fault. A validator that does not log failed fetches is known by
// the lack of fetches meanwhile.
func CutOffSource(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	r, cut := c.CutFromSource(c.Accepted, c.Last)
	if !cut || !c.Late() || v.OnMiss || v.Learns == runbook.Forever {
		return cell.Explanation{}, false
	}
	from, until := history.Milliseconds(r.InjectedMS), c.End
	if r.UndoneMS >= 0 {
		until = history.Milliseconds(r.UndoneMS)
	}
	due := c.Accepted // the last fetch before the fault, plus the page's interval
	for _, fetch := range c.Fetches(v.Name, 0, from) {
		due = fetch.At
	}
	due += history.Offset(c.Limits.Wall(max(v.Learns, v.Rereads)) + v.Granule)
	slack := evidence.Nearly
	if due < from-slack || due > min(until, c.Emitted)+slack || len(c.Fetches(v.Name, from+slack, until-slack)) > 0 || c.EverLearned && c.LearnedAt < until-slack {
		return cell.Explanation{}, false
	}
	what := "fetch the set"
	if v.Reads {
		what = "read what is published"
	}
	return cell.Explanation{
		Cause: judge.CauseSourceDown, Consumer: r.Target, CausedBy: r.Kind,
		Why: fmt.Sprintf("%s was due to %s %s after it was accepted, and the fault %s on %s kept it from that%s", v.Name, what, c.Page(due-c.Accepted), r.Kind, r.Target, c.UntilLearned()),
		Fix: fmt.Sprintf("mend %s, and emit only when %s has shown that it takes %s (gates: enforce): a validator that cannot fetch learns nothing, however long the lead", r.Target, v.Name, c.Fresh),
	}, true
}

// UnansweredFetch matches where a validator tried to fetch while it refused, got no answer, and never
// learned the new key.
func UnansweredFetch(c *cell.Cell) (cell.Explanation, bool) {
	from, ok := unanswered(c)
	if !ok || c.EverLearned || !c.Late() {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseSourceDown, Consumer: c.OrTheWay(c.Validator.Name, from, c.First),
		Why: fmt.Sprintf("%s asked for it, and %s gave no answer", c.Validator.Name, from),
		Fix: fmt.Sprintf("bring %s back; and let every validator have %s before it is emitted, so that none has to fetch at the switch", from, c.Fresh),
	}, true
}

// unanswered is the party that did not answer the fetch of a refusing validator. Behind a cache it is
// the emitter, where that gave no tokens either.
func unanswered(c *cell.Cell) (from string, ok bool) {
	for _, event := range c.Events {
		switch {
		case event.Kind == history.KindFetchFailed && event.Service == c.Validator.Name &&
			event.At >= c.First-evidence.Nearly && event.At <= c.Last+evidence.Nearly:
			from, ok = event.From, true
		case ok && event.Kind == history.KindSession && c.EmitterOf(event.Service) == c.Validator.From:
			return c.Validator.From, true
		}
	}
	return from, ok
}
