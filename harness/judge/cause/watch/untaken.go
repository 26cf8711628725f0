package watch

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
)

// NeverPublished matches where the emitter does not publish the new credential.
func NeverPublished(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	set, known := c.View.Published[v.From]
	other := slices.ContainsFunc(c.PartiesBehind(c.Nearest()), func(issuer string) bool { return slices.Contains(c.View.Published[issuer], c.Fresh) })
	if !known || slices.Contains(set, c.Fresh) || other {
		return cell.Explanation{}, false
	}
	revoked, _ := c.RevokedAt()
	return cell.Explanation{
		Cause: judge.CauseLatePublish, Consumer: v.From,
		Why: fmt.Sprintf("; %s does not publish it", v.From),
		Fix: fixPublishing(c.Evidence, v, revoked),
	}, true
}

// NeverTaken matches where a validator never learned the new credential.
func NeverTaken(c *cell.Cell) (cell.Explanation, bool) {
	_, ever := c.Learned(c.Validator.Name, c.Fresh, c.Start)
	_, took := c.LastTook(c.Validator.Name)
	return cell.Explanation{Cause: judge.CauseNeverLearned}, !ever && !took
}
