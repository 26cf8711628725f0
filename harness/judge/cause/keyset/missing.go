package keyset

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// sourceOf is the party farthest up the validator's way whose set has something at a moment: the others
// have it from there.
func sourceOf(c *cell.Cell, at history.Offset, has func(*history.KeySet) bool) string {
	for _, service := range []string{c.Validator.From, c.Nearest()} {
		if set, seen := c.SetAt(service, at); seen && has(set) && !c.UnreadableAt(service, at) {
			return service
		}
	}
	return c.Nearest()
}

// MissingAtTheSource matches where the set that a validator fetches was seen without a credential that
// belongs in it, before the validator refused that: all the time or, where several answer at one
// address, at some looks.
func MissingAtTheSource(c *cell.Cell) (cell.Explanation, bool) {
	since := c.Start
	if c.IsFresh() {
		since = c.Accepted + history.Offset(c.Limits.Wall(c.Limits.Publishing(c.Validator)+c.Limits.Propagation)) + evidence.Nearly
	} else if !c.BeforeRevoke(c.Sum) {
		return cell.Explanation{}, false
	}
	place := c.Nearest()
	lacks := func(set *history.KeySet) bool { return !slices.Contains(set.Credentials(), c.Credential) }
	at, had := history.Offset(0), false
	for _, look := range c.LooksAt(place, "") {
		switch {
		case !look.Set.Readable() || look.At > c.First+evidence.Nearly:
		case !lacks(look.Set):
			had = true
		case look.At >= since && at == 0:
			at = look.At
		}
	}
	if at == 0 { // it was there at an earlier look, or nobody looked
		if set, seen := c.SetAt(place, since); !seen || !lacks(set) || since > c.First || c.UnreadableAt(place, since) {
			return cell.Explanation{}, false
		}
		at = since
	}
	source, voices := sourceOf(c, at, lacks), lacking(c.Evidence, place, at, lacks)
	if len(voices) > 0 {
		source = voices[0]
	}
	why := fmt.Sprintf("the set of %s did not have it when looked at from %s on", source, c.Page(max(at-c.Start, 0)))
	if len(voices) > 0 && had {
		why = fmt.Sprintf("%s answers with different sets, and the one that it has from %s lacked it from %s on", place, source, c.Page(max(at-c.Start, 0)))
	}
	from := c.Validator.From
	handsOn := len(voices) == 0 && source != from && slices.ContainsFunc(c.Limits.Gateways, func(g plan.Gateway) bool { return g.Name == source })
	if handsOn && c.UnreadableAt(from, at) {
		return cell.Explanation{
			Cause: judge.CauseSourceDown, Consumer: from, Why: fmt.Sprintf("%s, and %s itself answered with none then", why, from),
			Fix: fmt.Sprintf("bring %s back before emitting: until then %s hands on the set that it has", from, source),
		}, true
	}
	if handsOn && c.IsFresh() {
		return cell.Explanation{
			Cause: judge.CauseNotInSet, Consumer: source, Why: why,
			Fix: fmt.Sprintf("bound for how long %s hands on the set that it has (its lifetime, and what it serves stale beyond that), or purge it with the accept: the lead must be longer than that and what %s keeps together", source, c.Validator.Name),
		}, true
	}
	return cell.Explanation{
		Cause: judge.CauseNotInSet, Consumer: source, Why: why,
		Fix: fmt.Sprintf("let %s publish every accepted key, from its accept until its revoke, and check what each address answers before emitting", source),
	}, true
}

// lacking are the parties behind a gateway whose own set lacks something.
func lacking(e *evidence.Evidence, gateway string, at history.Offset, lacks func(*history.KeySet) bool) []string {
	var names []string
	for _, of := range e.PartiesBehind(gateway) {
		if set, seen := e.SetAt(of, at+evidence.Nearly); seen && lacks(set) {
			names = append(names, of)
		}
	}
	return names
}
