package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// refusedLikeOthers matches where a validator refuses the harness's new credential at the end as it
// refused that of others, and those refusals are explained.
func refusedLikeOthers(c *Cell) (Explanation, bool) {
	for _, key := range c.JudgedCells() {
		sum := c.View.Sum(key, c.Start, c.End+1)
		if key.Validator != c.Validator.Name || key.Credential != c.Fresh || sum.AuthFailures == 0 || sum.LastFailure <= c.End-2*evidence.Nearly {
			continue
		}
		if f := c.Explain(key, &sum); f.Cause != judge.CauseUnknown {
			return Explanation{
				Cause: f.Cause, Consumer: f.Consumer, Fix: f.Fix,
				Why: fmt.Sprintf(", as it did when %s presented it", f.Presenter),
			}, true
		}
	}
	return Explanation{}, false
}

// afterRevoke is a detector of refusals for what the harness itself presents after the revoke: no
// step caused that, and the finding has a sentence before the explanation.
func afterRevoke(separator string, match func(*Cell) (Explanation, bool)) func(*Cell) (Explanation, bool) {
	return func(c *Cell) (Explanation, bool) {
		told, matches := match(c)
		told.Why, told.CausedBy = separator+told.Why, ""
		return told, matches
	}
}

// neverPublished matches where the emitter does not publish the new credential.
func neverPublished(c *Cell) (Explanation, bool) {
	v := c.Validator
	set, known := c.View.Published[v.From]
	other := slices.ContainsFunc(c.partiesBehind(c.nearest()), func(issuer string) bool { return slices.Contains(c.View.Published[issuer], c.Fresh) })
	if !known || slices.Contains(set, c.Fresh) || other {
		return Explanation{}, false
	}
	revoked, _ := c.RevokedAt()
	return Explanation{
		Cause: judge.CauseLatePublish, Consumer: v.From,
		Why: fmt.Sprintf("; %s does not publish it", v.From),
		Fix: c.fixPublishing(v, revoked),
	}, true
}

// neverTaken matches where a validator never learned the new credential.
func neverTaken(c *Cell) (Explanation, bool) {
	_, ever := c.Learned(c.Validator.Name, c.Fresh, c.Start)
	_, took := c.LastTook(c.Validator.Name)
	return Explanation{Cause: judge.CauseNeverLearned}, !ever && !took
}

// LastTook is when a validator took the new credential last, from anybody; false: from nobody.
func (e *Case) LastTook(validator string) (at history.Offset, took bool) {
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
