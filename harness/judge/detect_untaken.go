package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// refusedLikeOthers matches where a validator refuses the new credential as it
// did when others presented it, up to the end, and that is explained.
func refusedLikeOthers(c *cell) (explanation, bool) {
	for _, key := range c.hop() {
		sum := c.view.Sum(key, c.start, c.end+1)
		if key.Validator != c.validator.Name || key.Credential != c.fresh || sum.AuthFailures == 0 || sum.LastFailure <= c.end-2*history.Offset(nearly) {
			continue
		}
		if f := c.explain(key, &sum); f.Cause != CauseUnknown {
			return explanation{
				cause: f.Cause, consumer: f.Consumer, fix: f.Fix,
				why: fmt.Sprintf(", as it did when %s presented it", f.Presenter),
			}, true
		}
	}
	return explanation{}, false
}

// reusedKidAfter is reusedKid, of what is refused after the revoke.
func reusedKidAfter(c *cell) (explanation, bool) {
	told, matches := reusedKid(c)
	told.why, told.causedBy = "; "+told.why, ""
	return told, matches
}

// neverPublished matches where the emitter does not publish the new credential.
func neverPublished(c *cell) (explanation, bool) {
	v := c.validator
	set, known := c.view.Published[v.From]
	if !known || slices.Contains(set, c.fresh) {
		return explanation{}, false
	}
	revoked, _ := c.revokedAt()
	return explanation{
		cause: CauseLatePublish, consumer: v.From,
		why: fmt.Sprintf("; %s does not publish it", v.From),
		fix: c.fixPublishing(v, revoked),
	}, true
}

// neverTaken matches where a validator never learned the new credential.
func neverTaken(c *cell) (explanation, bool) {
	_, ever := c.learned(c.validator.Name, c.fresh, c.start)
	return explanation{cause: CauseNeverLearned}, !ever
}
