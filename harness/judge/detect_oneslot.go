package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// oneSlot matches where a validator fetched a set with the credential and did
// not keep it, before the failures ended.
func oneSlot(c *cell) (explanation, bool) {
	dropped := slices.ContainsFunc(c.fetches(c.validator.Name, c.start, c.last), func(fetch history.Event) bool {
		return slices.Contains(fetch.Credentials, c.credential) && !slices.Contains(fetch.Holds, c.credential)
	})
	if !dropped {
		return explanation{}, false
	}
	name := c.validator.Name
	return explanation{
		cause: CauseOneSlot,
		why:   fmt.Sprintf("%s%s fetched a set with %s in it and kept only another key: it holds one key at a time", name, c.offPage(name), c.credential),
		fix:   fmt.Sprintf("let %s hold every key of the set before the next rotation; with one slot no lead and no window is long enough", name),
	}, true
}
