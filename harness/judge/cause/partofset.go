package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// oneOfTheSet matches where a validator, of which only its fetches are seen, takes one credential of a
// set with both: the first or the last. The other is refused from one fetch to the next, and where the
// order of the set changes, the roles change. It does not apply to fleets and replicas, where a fetch
// is one member's only.
func oneOfTheSet(c *Cell) (Explanation, bool) {
	if several, _, _ := c.alternated(); several > 0 || c.Validator.Fleet > 0 {
		return Explanation{}, false
	}
	for _, place := range []struct {
		name string
		of   func(set []string) string
	}{
		{"first", func(set []string) string { return set[0] }},
		{"last", func(set []string) string { return set[len(set)-1] }},
	} {
		if told, matches := c.takesOnly(place.name, place.of); matches {
			return told, true
		}
	}
	return Explanation{}, false
}

// takesOnly is oneOfTheSet for one position in the set.
func (c *Cell) takesOnly(place string, of func(set []string) string) (Explanation, bool) {
	name := c.Validator.Name
	fetches := c.Fetches(name, 0, c.End)
	var shown history.Event // the fetch that shows it, with another credential in that position
	var mine, others evidence.Tally
	turned := false // the order was seen to decide both ways
	for i, fetch := range fetches {
		from, until := max(fetch.At, c.Start), c.End
		if i+1 < len(fetches) {
			until = fetches[i+1].At
		}
		if !slices.Contains(fetch.Credentials, c.Credential) {
			continue
		}
		m, o := c.at(c.Credential, from, until), c.at(c.otherThan(c.Credential), from, until)
		if of(fetch.Credentials) == c.Credential {
			if m.Bad > 0 {
				return Explanation{}, false // it is in that position and is refused
			}
			turned = turned || m.Of > 0 && len(fetch.Credentials) > 1 // a set of one key has no order
			continue
		}
		if m.Of > m.Bad || o.Bad > 0 {
			return Explanation{}, false // it takes one in another position
		}
		if mine, others = (evidence.Tally{Bad: mine.Bad + m.Bad, Of: mine.Of + m.Of}), (evidence.Tally{Bad: others.Bad + o.Bad, Of: others.Of + o.Of}); m.Of > 0 && shown.At == 0 {
			shown = fetch
		}
	}
	if !turned || shown.At == 0 || others.Of == 0 {
		return Explanation{}, false
	}
	other := of(shown.Credentials)
	return Explanation{
		Cause: judge.CauseOneSlot,
		Why: fmt.Sprintf("%s%s takes one key of the set that it fetches, the %s: from its fetch at %s, in which %s came %s, it took all of %d with %s and none of %d with %s, and the other way round when the order of the set was",
			name, c.OffPage(name), place, shown.At, other, place, others.Of, other, mine.Of, c.Credential),
		Fix: fmt.Sprintf("let %s hold every key of the set, and choose by kid, before the next rotation: with one key at a time, no lead or window is long enough", name),
	}, true
}

// otherThan is the other one of the rotation's two credentials.
func (e *Case) otherThan(credential string) string {
	if credential == e.Fresh {
		return e.Old
	}
	return e.Fresh
}

// at is how many presentations of a credential to the cell's validator, the harness's among them, were
// refused in a stretch. It leaves out a bucket at either end, in which a fetch takes effect.
func (c *Cell) at(credential string, from, to history.Offset) (t evidence.Tally) {
	for _, key := range c.JudgedCells() {
		if key.Validator != c.Validator.Name || key.Credential != credential {
			continue
		}
		sum := c.View.Sum(key, from+evidence.BucketWidth, to-evidence.BucketWidth)
		t.Bad, t.Of = t.Bad+sum.AuthFailures, t.Of+sum.Attempts
	}
	for _, event := range c.About(c.Validator.Name) {
		if event.Kind != history.KindProbe || event.Credential != credential || event.At-event.Probe.Latency < from+evidence.BucketWidth || event.At >= to-evidence.BucketWidth {
			continue
		}
		switch event.Probe.Outcome {
		case history.AuthFailure:
			t.Bad, t.Of = t.Bad+1, t.Of+1
		case history.OK:
			t.Of++
		}
	}
	return t
}
