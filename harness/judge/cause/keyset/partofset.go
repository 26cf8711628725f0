package keyset

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// OneOfTheSet matches where a validator, of which only its fetches are seen, takes one credential of a
// set with both: the first or the last. The other is refused from one fetch to the next, and where the
// order of the set changes, the roles change. It does not apply to fleets and replicas, where a fetch
// is one member's only.
func OneOfTheSet(c *cell.Cell) (cell.Explanation, bool) {
	if several, _, _ := c.Alternated(); several > 0 || c.Validator.Fleet > 0 {
		return cell.Explanation{}, false
	}
	for _, place := range []struct {
		name string
		of   func(set []string) string
	}{
		{"first", func(set []string) string { return set[0] }},
		{"last", func(set []string) string { return set[len(set)-1] }},
	} {
		if told, matches := takesOnly(c, place.name, place.of); matches {
			return told, true
		}
	}
	return cell.Explanation{}, false
}

// takesOnly is OneOfTheSet for one position in the set.
func takesOnly(c *cell.Cell, place string, of func(set []string) string) (cell.Explanation, bool) {
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
		m, o := c.Tally(c.Credential, from, until), c.Tally(otherThan(c.Evidence, c.Credential), from, until)
		if of(fetch.Credentials) == c.Credential {
			if m.Bad > 0 {
				return cell.Explanation{}, false // it is in that position and is refused
			}
			turned = turned || m.Of > 0 && len(fetch.Credentials) > 1 // a set of one key has no order
			continue
		}
		if m.Of > m.Bad || o.Bad > 0 {
			return cell.Explanation{}, false // it takes one in another position
		}
		if mine, others = (evidence.Tally{Bad: mine.Bad + m.Bad, Of: mine.Of + m.Of}), (evidence.Tally{Bad: others.Bad + o.Bad, Of: others.Of + o.Of}); m.Of > 0 && shown.At == 0 {
			shown = fetch
		}
	}
	if !turned || shown.At == 0 || others.Of == 0 {
		return cell.Explanation{}, false
	}
	other := of(shown.Credentials)
	return cell.Explanation{
		Cause: judge.CauseOneSlot,
		Why: fmt.Sprintf("%s%s takes one key of the set that it fetches, the %s: from its fetch at %s, in which %s came %s, it took all of %d with %s and none of %d with %s, and the other way round when the order of the set was",
			name, c.OffPage(name), place, c.Moment(shown.At), other, place, others.Of, other, mine.Of, c.Credential),
		Fix: fmt.Sprintf("let %s hold every key of the set, and choose by kid, before the next rotation: with one key at a time, no lead or window is long enough", name),
	}, true
}

// otherThan is the other one of the rotation's two credentials.
func otherThan(e *evidence.Evidence, credential string) string {
	if credential == e.Fresh {
		return e.Old
	}
	return e.Fresh
}
