package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// oneOfTheSet matches where a validator of which no more is seen than what it
// fetches takes one credential of a set that has both, the one that comes first or
// the one that comes last: all with the other are refused from one fetch to the next,
// and where the order of the set changed it is the other way round.
func oneOfTheSet(c *cell) (explanation, bool) {
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
	return explanation{}, false
}

// takesOnly is oneOfTheSet for one place in the set.
func (c *cell) takesOnly(place string, of func(set []string) string) (explanation, bool) {
	name := c.validator.Name
	fetches := c.fetches(name, 0, c.end)
	var shown history.Event // the fetch that shows it, with another than the credential at the place
	var mine, others tally
	turned := false // the order was seen to decide, both ways
	for i, fetch := range fetches {
		from, until := max(fetch.At, c.start), c.end
		if i+1 < len(fetches) {
			until = fetches[i+1].At
		}
		if !slices.Contains(fetch.Credentials, c.credential) {
			continue
		}
		m, o := c.at(c.credential, from, until), c.at(c.otherThan(c.credential), from, until)
		if of(fetch.Credentials) == c.credential {
			if m.bad > 0 {
				return explanation{}, false // it is at the place, and is refused
			}
			turned = turned || m.of > 0
			continue
		}
		if m.of > m.bad || o.bad > 0 {
			return explanation{}, false // it takes one that is not
		}
		if mine, others = (tally{mine.bad + m.bad, mine.of + m.of}), (tally{others.bad + o.bad, others.of + o.of}); m.of > 0 && shown.At == 0 {
			shown = fetch
		}
	}
	if !turned || shown.At == 0 || others.of == 0 {
		return explanation{}, false
	}
	other := of(shown.Credentials)
	return explanation{
		cause: CauseOneSlot,
		why: fmt.Sprintf("%s%s takes one key of the set that it fetches, the %s: from its fetch at %s, in which %s came %s, it took all of %d with %s and none of %d with %s, and the other way round when the order of the set was",
			name, c.offPage(name), place, shown.At, other, place, others.of, other, mine.of, c.credential),
		fix: fmt.Sprintf("let %s hold every key of the set, and choose by kid, before the next rotation: with one key at a time no lead and no window is long enough", name),
	}, true
}

// otherThan is the one of the rotation's two credentials that another is not.
func (e *evidence) otherThan(credential string) string {
	if credential == e.fresh {
		return e.old
	}
	return e.fresh
}

// at is how many of those who presented a credential to the cell's validator, the
// harness among them, were refused in a stretch. A second at its begin, in which what was fetched came into use, counts for nothing.
func (c *cell) at(credential string, from, to history.Offset) (t tally) {
	for _, key := range c.hop() {
		if key.Validator != c.validator.Name || key.Credential != credential {
			continue
		}
		sum := c.view.Sum(key, from+bucketWidth, to-bucketWidth)
		t.bad, t.of = t.bad+sum.AuthFailures, t.of+sum.Attempts
	}
	for _, event := range c.events {
		if event.Kind != history.KindProbe || event.Service != c.validator.Name || event.Credential != credential || event.At-event.Probe.Latency < from+bucketWidth || event.At >= to-bucketWidth {
			continue
		}
		switch event.Probe.Outcome {
		case history.AuthFailure:
			t.bad, t.of = t.bad+1, t.of+1
		case history.OK:
			t.of++
		}
	}
	return t
}
