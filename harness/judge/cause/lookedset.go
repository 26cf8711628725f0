package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// missingAtTheSource matches where the set that a validator fetches was seen without a credential that
// belongs in it, before the validator refused that: all the time or, where several answer at one
// address, at some looks.
func missingAtTheSource(c *Cell) (Explanation, bool) {
	since := c.Start
	if c.isFresh() {
		since = c.Accepted + history.Offset(c.Limits.Wall(c.Limits.Publishing(c.Validator)+c.Limits.Propagation)) + evidence.Nearly
	} else if !c.beforeRevoke(c.Sum) {
		return Explanation{}, false
	}
	place := c.nearest()
	lacks := func(set *history.KeySet) bool { return !slices.Contains(set.Credentials(), c.Credential) }
	at, had := history.Offset(0), false
	for _, look := range c.looksAt(place, "") {
		switch {
		case !look.Set.Readable() || look.At > c.First+evidence.Nearly:
		case !lacks(look.Set):
			had = true
		case look.At >= since && at == 0:
			at = look.At
		}
	}
	if at == 0 { // it was there at an earlier look, or nobody looked
		if set, seen := c.setAt(place, since); !seen || !lacks(set) || since > c.First || c.unreadableAt(place, since) {
			return Explanation{}, false
		}
		at = since
	}
	source, voices := c.sourceOf(at, lacks), c.lacking(place, at, lacks)
	if len(voices) > 0 {
		source = voices[0]
	}
	why := fmt.Sprintf("the set of %s did not have it when looked at from %s on", source, c.Page(max(at-c.Start, 0)))
	if len(voices) > 0 && had {
		why = fmt.Sprintf("%s answers with different sets, and the one that it has from %s lacked it from %s on", place, source, c.Page(max(at-c.Start, 0)))
	}
	from := c.Validator.From
	handsOn := len(voices) == 0 && source != from && slices.ContainsFunc(c.Limits.Gateways, func(g plan.Gateway) bool { return g.Name == source })
	if handsOn && c.unreadableAt(from, at) {
		return Explanation{
			Cause: judge.CauseSourceDown, Consumer: from, Why: fmt.Sprintf("%s, and %s itself answered with none then", why, from),
			Fix: fmt.Sprintf("bring %s back before emitting: until then %s hands on the set that it has", from, source),
		}, true
	}
	if handsOn && c.isFresh() {
		return Explanation{
			Cause: judge.CauseNotInSet, Consumer: source, Why: why,
			Fix: fmt.Sprintf("bound for how long %s hands on the set that it has (its lifetime, and what it serves stale beyond that), or purge it with the accept: the lead must be longer than that and what %s keeps together", source, c.Validator.Name),
		}, true
	}
	return Explanation{
		Cause: judge.CauseNotInSet, Consumer: source, Why: why,
		Fix: fmt.Sprintf("let %s publish every accepted key, from its accept until its revoke, and check what each address answers before emitting", source),
	}, true
}

// lacking are the parties behind a gateway whose own set lacks something.
func (e *Case) lacking(gateway string, at history.Offset, lacks func(*history.KeySet) bool) []string {
	var names []string
	for _, of := range e.partiesBehind(gateway) {
		if set, seen := e.setAt(of, at+evidence.Nearly); seen && lacks(set) {
			names = append(names, of)
		}
	}
	return names
}

// partiesBehind are the parties whose sets a gateway answers with, one or another; none where it has one alone.
func (e *Case) partiesBehind(gateway string) []string {
	for _, g := range e.Limits.Gateways {
		if g.Name == gateway && len(g.Of) > 1 {
			return g.Of
		}
	}
	return nil
}

// answersFor reports whether a look at a gateway found the set of one party behind it, which none of
// the others had then, after it had found another: it asks that one too. What it keeps it does not find
// again.
func (e *Case) answersFor(gateway, of string) bool {
	has := func(party string, look *history.Event) bool {
		set, seen := e.setAt(party, look.At)
		return seen && set.Same(look.Set)
	}
	return slices.ContainsFunc(e.looksAt(gateway, ""), func(look history.Event) bool {
		return look.Set.Again && has(of, &look) && !slices.ContainsFunc(e.partiesBehind(gateway), func(other string) bool { return other != of && has(other, &look) })
	})
}
