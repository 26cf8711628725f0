package plan

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Exception is a client that may keep the old credential longer than the others:
// the window waits for it as well, until the page says.
type Exception struct {
	Client string        `json:"client"`
	Until  time.Duration `json:"until_ns"` // after the last emitter has switched
}

// UnmarshalJSON also reads the form of older histories: the name alone. How long the window had to wait
// for such a client is unknown, and not held against it.
func (e *Exception) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &e.Client) == nil {
		return nil
	}
	type plain Exception
	return json.Unmarshal(text, (*plain)(e))
}

// Exception is the exception of a client; the zero value where it has none.
func (l Limits) Exception(client string) Exception {
	for _, e := range l.Exceptions {
		if e.Client == client {
			return e
		}
	}
	return Exception{}
}

// Excepted reports whether a client may keep the old credential longer.
func (l Limits) Excepted(client string) bool {
	return l.Exception(client).Client != ""
}

// seenException is the least window for a client with an exception: until the page
// says, or as long as its tokens were seen to live.
func (l Limits) seenException(s Sight, e Exception) Bound {
	b := Bound{Rule: "G2", Field: "overlap.window", Planned: l.Window, Party: e.Client}
	life, found := l.longestTokens(s, e.Client, e.Until)
	b.term("exception of "+e.Client, e.Until, life, found)
	return b.settled()
}

// except copies the exception of a client with several targets to each of them.
func (b *builder) except() {
	var all []runbook.Exception
	for _, e := range b.page.Overlap.Exceptions {
		i := slices.IndexFunc(b.s.Load, func(c scenario.Client) bool { return c.Client == e.Client && len(c.Targets) > 0 })
		if i < 0 {
			all = append(all, e)
			continue
		}
		for _, c := range b.s.Load[i].Each() {
			e.Client = c.Client
			all = append(all, e)
		}
	}
	b.page.Overlap.Exceptions = all
}
