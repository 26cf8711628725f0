package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// oneSlot matches where a validator fetched a set with the credential and did
// not keep it, before the failures ended.
func oneSlot(c *Cell) (Explanation, bool) {
	dropped := slices.ContainsFunc(c.Fetches(c.Validator.Name, c.Start, c.Last), func(fetch history.Event) bool {
		return slices.Contains(fetch.Credentials, c.Credential) && !slices.Contains(fetch.Holds, c.Credential)
	})
	if !dropped {
		return Explanation{}, false
	}
	name := c.Validator.Name
	return Explanation{
		Cause: judge.CauseOneSlot,
		Why:   fmt.Sprintf("%s%s fetched a set with %s in it and kept only another key: it holds one key at a time", name, c.OffPage(name), c.Credential),
		Fix:   fmt.Sprintf("let %s hold every key of the set before the next rotation; with one slot no lead and no window is long enough", name),
	}, true
}
