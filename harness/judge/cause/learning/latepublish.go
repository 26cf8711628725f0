package learning

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// LatePublish matches where the emitter whose set the validator gets published the new credential late. Of several whose
// sets a balancer answers with, those that published in time are not to blame; where a late one and one in time stand
// there, and nothing shows with which set the validator was answered, nobody is named.
func LatePublish(c *cell.Cell) (cell.Explanation, bool) {
	place := c.Nearest()
	behind := c.PartiesBehind(place)
	if len(behind) == 0 {
		told, is := publishedLate(c)
		return told, is && c.IsPublished
	}
	var late []cell.Explanation
	other, until, since := "", history.Offset(0), history.Offset(0)
	for _, issuer := range behind {
		at, known := c.View.PublishedAt[issuer][c.Fresh]
		if !known {
			other, since = fmt.Sprintf("nothing shows when %s published it", issuer), c.End // whose answer lacked it cannot be told then
			continue
		}
		of := *c
		of.Validator.From, of.Published = issuer, at
		if told, is := publishedLate(&of); is {
			late, until = append(late, told), max(until, at)
		} else if at-c.Accepted <= history.Offset(c.Limits.Wall(c.Limits.Publishing(of.Validator)))+evidence.Nearly {
			other, since = issuer+" published it in time", max(since, at)
		}
	}
	switch {
	case len(late) == 0:
		return cell.Explanation{}, false
	case other == "" || len(late) == 1 && answeredWithout(c, place, since+evidence.Nearly, until):
		return late[0], true
	}
	told := cell.Explanation{Cause: judge.CauseUnknown, Nobody: true, Why: late[0].Why}
	told.Why += fmt.Sprintf("; but %s, %s answers with the set of either, and nothing shows with which %s was answered", other, place, c.Validator.Name)
	told.Fix = fmt.Sprintf("have each of %s publish within what the page says, and look at what each answers by its own address before emitting", strings.Join(behind, ", "))
	return told, true
}

// answeredWithout reports whether the validator, or the balancer for it, was given a set without the new credential in
// (from, to): by one that had not published it.
func answeredWithout(c *cell.Cell, place string, from, to history.Offset) bool {
	for _, fetcher := range []string{c.Validator.Name, place} {
		for _, fetch := range c.Fetches(fetcher, from, to) {
			if !slices.Contains(fetch.Credentials, c.Fresh) {
				return true
			}
		}
	}
	return false
}

// publishedLate reports whether the emitter published the new credential later than the page says although
// the lead would have been enough for the validator; or after it was in use already, as the page may
// allow: then nobody could have learned it.
func publishedLate(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	own := c.LearnedAt - c.Published // what the validator itself took
	took := c.Published - c.Accepted
	planned := history.Offset(c.Limits.Wall(c.Limits.Publishing(v)))
	nearly := evidence.Nearly
	page := plan.Text(c.Limits.Publishing(v))
	if c.Late() && took <= planned+nearly && took > c.Lead()+nearly && own <= c.Lead() {
		return cell.Explanation{
			Cause: judge.CauseLatePublish, Consumer: v.From,
			Why: fmt.Sprintf("%s published it %s after it was accepted (the page says %s), and it was in use after a lead of %s: %s could not have it before",
				v.From, c.Page(took), page, c.Page(c.Lead()), v.Name),
			Fix: c.FixLead(),
		}, true
	}
	if !c.Late() || own+planned > c.Lead() || took <= planned+nearly {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseLatePublish, Consumer: v.From,
		Why: fmt.Sprintf("%s published it only %s after it was accepted (the page says %s), so that %s learned it %s after the start of a lead of %s",
			v.From, c.Page(took), page, v.Name, c.Page(c.LearnedAt-c.Accepted), c.Page(c.Lead())),
		Fix: fmt.Sprintf("make %s read the store every %s as the page says, or emit at least %s after accepting",
			v.From, page, c.AtLeast(c.LearnedAt-c.Accepted)),
	}, true
}
