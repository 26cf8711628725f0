package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// unreadSet matches where a validator fetched a set with the credential in it
// and kept what it had before, since it could not read all of the new one: a key
// in it is of nobody known here, or none of what it keeps is in what it fetched.
func unreadSet(c *cell) (explanation, bool) {
	v := c.validator
	for _, fetch := range c.fetches(v.Name, c.start, c.last) {
		if !slices.Contains(fetch.Credentials, c.credential) || slices.Contains(fetch.Holds, c.credential) {
			continue
		}
		strange := c.strangers(fetch.Credentials)
		kept := slices.ContainsFunc(fetch.Holds, func(name string) bool { return !slices.Contains(fetch.Credentials, name) })
		if len(strange) == 0 && !kept {
			continue
		}
		because := ""
		if len(strange) > 0 {
			because = fmt.Sprintf(" since %s is in it", joined(strange))
			if since, there := c.strangeSince(strange[0]); there {
				because += ", first seen at " + since.String()
			}
		}
		from := fetch.From
		if from == "" {
			from = v.From
		}
		return explanation{
			cause: CauseUnusableSet, consumer: from,
			why: fmt.Sprintf("%s%s fetched a set with %s from %s at %s and kept the one that it had: it could not use the new one%s", v.Name, c.offPage(v.Name), c.credential, from, fetch.At, because),
			fix: fmt.Sprintf("let %s answer with keys that every library here can read (type, curve, algorithm), or give %s one that passes over what it cannot read; hold a set against each library before it is published", from, v.Name),
		}, true
	}
	return explanation{}, false
}

// strangers are the identifiers in a set that are of no credential of the run.
func (e *evidence) strangers(set []string) []string {
	var found []string
	for _, name := range set {
		_, other := e.others[name]
		if name != e.old && name != e.fresh && !other && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// strangeSince is when an identifier was first seen in a set that anybody fetched,
// where that was after the rotation had begun.
func (e *evidence) strangeSince(name string) (history.Offset, bool) {
	for _, event := range e.events {
		if event.Kind == history.KindFetched && slices.Contains(event.Credentials, name) {
			return event.At, event.At > e.start
		}
	}
	return 0, false
}
