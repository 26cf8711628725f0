package cell

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// An authority has no cache: it takes what the steps tell it to take. Where it does not, a step was
// done without effect.

// authorityReplies counts an authority's answers to a credential in some stretch of time.
type authorityReplies struct {
	Taken, Refused int
	Self           int // of those, taken from rehearse itself
	Who            []string
}

// RepliesTo counts the answers of the cell's authority to a credential in [from, to].
func (c *Cell) RepliesTo(credential string, from, to history.Offset) (t authorityReplies) {
	for _, r := range c.Replies() {
		switch {
		case r.Credential != credential || r.At < from || r.At > to:
		case r.Taken:
			if t.Taken++; r.Who == Itself {
				t.Self++
			}
		default:
			if t.Refused++; !slices.Contains(t.Who, r.Who) {
				t.Who = append(t.Who, r.Who)
			}
		}
	}
	return t
}

// Itself names the harness as a presenter.
const Itself = "rehearse itself"

// reply is what a validator answered to somebody with a credential.
type reply struct {
	At              history.Offset
	Who, Credential string
	Taken           bool
}

// Replies are the answers of the cell's validator, a few of each time bucket: to every presenter that
// is judged, and to the harness itself.
func (c *Cell) Replies() []reply {
	var all []reply
	for _, key := range c.JudgedCells() {
		if key.Validator != c.Validator.Name {
			continue
		}
		for _, bucket := range c.View.Cells[key] {
			if bucket.OK > 0 {
				all = append(all, reply{bucket.At, key.Presenter, key.Credential, true})
			}
			if bucket.AuthFailures > 0 {
				all = append(all, reply{bucket.FirstFailure, key.Presenter, key.Credential, false})
			}
		}
	}
	for _, event := range c.Events {
		if event.Kind == history.KindProbe && event.Service == c.Validator.Name && !event.Probe.Spoilt() && !event.Probe.Session && event.Probe.Outcome != history.Unavailable {
			all = append(all, reply{event.At, Itself, event.Credential, event.Probe.Outcome == history.OK})
		}
	}
	return all
}

// LeastRefusedProbes is how often a service must have refused the harness for that to explain why it
// turns everybody away.
const LeastRefusedProbes = 5
