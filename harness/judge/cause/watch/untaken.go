package watch

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
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
	_, took := LastTook(c.Evidence, c.Validator.Name)
	return cell.Explanation{Cause: judge.CauseNeverLearned}, !ever && !took
}

// LastTook is when a validator took the new credential last, from anybody; false: from nobody.
func LastTook(e *evidence.Evidence, validator string) (at history.Offset, took bool) {
	for _, event := range e.About(validator) {
		if p := event.Probe; p != nil && event.Credential == e.Fresh && p.Outcome == history.OK && (p.Purpose == history.Canary || p.Purpose == history.NewAfter) {
			at, took = max(at, event.At), true
		}
	}
	for _, key := range e.JudgedCells() {
		if key.Validator != validator || key.Credential != e.Fresh {
			continue
		}
		for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
			if b.OK > 0 {
				at, took = max(at, b.At+b.Width), true
			}
		}
	}
	return at, took
}
