package watch

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// TokenCache matches where a validator took a revoked credential after it had fetched the set without
// it: it caches checked tokens, or keeps the key all the same. A token signed after the revoke tells
// which, also where nobody sees what it fetches or reads.
func TokenCache(c *cell.Cell) (cell.Explanation, bool) {
	name := c.Validator.Name
	fetched, without := fetchedWithout(c)
	anew := c.View.Said(name, c.Old, history.Anew)
	onlyChecked := anew.Refused > 0 && anew.Taken == 0 && !c.Presented.Refused
	if !without && !onlyChecked {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{
		Cause: judge.CauseTokenCache,
		Why:   fmt.Sprintf("; one that was made with it after the revoke it refused, and took the one that it had been shown before: it keeps tokens that it has checked, and not %s", c.Old),
		Fix:   fmt.Sprintf("bound how long %s keeps what it has checked (introspection or token cache, by kid too), or empty that with the revoke; an expiry of the keys that it checks by changes nothing", name),
	}
	if without {
		told.Why = fmt.Sprintf("; it fetched the set without %s at %s and took a token of %s for %s more: it keeps tokens that it has checked, and not the key",
			c.Old, c.Moment(fetched), c.Old, c.Page(c.Last-fetched))
	}
	switch {
	case anew.Taken > 0:
		told.Cause = judge.CauseSetNotUsed
		told.Why = fmt.Sprintf("; it fetched the set without %s at %s, and a token that was signed with it %s after that was taken: it keeps the key whatever it fetches", c.Old, c.Moment(fetched), c.Page(anew.LastTaken-fetched))
		told.Fix = fmt.Sprintf("have %s replace the keys that it holds by those that it fetches, and not only add to them; until then restart it after each revoke", name)
		if other := elsewhere(c); other != "" {
			told.Consumer, told.Cause = other, judge.CauseLatePublish
			told.Why = fmt.Sprintf("; %s, whose key set is fetched here too, still publishes it", other)
			told.Fix = fmt.Sprintf("take %s out of the key set of %s with the revoke, and put %s on the page", c.Old, other, other)
		}
	case anew.Refused == 0:
		told.Why += ", or it keeps the key whatever it fetches"
		told.Fix += "; look at whether it replaces its keys by what it fetches, too"
	}
	return told, true
}

// elsewhere is a party beside the validator's way to its keys whose key set is fetched too, and had the old
// credential when last looked at; "" where there is none.
func elsewhere(c *cell.Cell) string {
	for _, g := range c.Limits.Gateways {
		if set := c.View.Sets[g.Name]; g.Name != c.Nearest() && set != nil && slices.Contains(set.Credentials(), c.Old) {
			return g.Name
		}
	}
	return ""
}

// fetchedWithout is when the cell's validator, if it has one cache, fetched a set without the old
// credential and yet took that for longer than a fetch needs to take effect.
func fetchedWithout(c *cell.Cell) (at history.Offset, ok bool) {
	if n, _ := c.Caches(); n > 1 {
		return 0, false // one replica fetched, another took it
	}
	for _, fetch := range c.Fetches(c.Validator.Name, c.First, c.End) {
		if !slices.Contains(fetch.Credentials, c.Old) && !slices.Contains(fetch.Holds, c.Old) {
			return fetch.At, c.Last > fetch.At+2*evidence.Nearly
		}
	}
	return 0, false
}
