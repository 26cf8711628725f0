package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// looksAt are the looks at the key set of a service, in order: as the harness
// found it, or as a party on whose way something stands.
func (e *evidence) looksAt(service, reader string) []history.Event {
	var found []history.Event
	for _, event := range e.events {
		if event.Kind == history.KindLooked && event.Service == service && event.Reader == reader && event.Set != nil && event.At <= e.end {
			found = append(found, event)
		}
	}
	return found
}

// setAt is the set that was last found at a service until a moment; false where
// none was.
func (e *evidence) setAt(service string, at history.Offset) (*history.KeySet, bool) {
	var set *history.KeySet
	for _, look := range e.looksAt(service, "") {
		if look.At <= at && look.Set.Readable() {
			set = look.Set
		}
	}
	return set, set != nil
}

// nearest is the place that the validator has its set from: the gateway or the
// cache before it, or the emitter.
func (c *cell) nearest() string {
	if c.validator.Via != "" {
		return c.validator.Via
	}
	return c.validator.From
}

// sourceOf is the farthest party on the validator's way whose set has what is
// looked for at a moment: whoever hands it on has it from there.
func (c *cell) sourceOf(at history.Offset, has func(*history.KeySet) bool) string {
	for _, service := range []string{c.validator.From, c.nearest()} {
		if set, seen := c.setAt(service, at); seen && has(set) {
			return service
		}
	}
	return c.nearest()
}

// overdue says that the validator should have used the credential that it
// refused: the old one was not revoked, or the set has had the new one for longer
// than the validator keeps another.
func (c *cell) overdue() bool {
	if !c.isFresh() {
		return c.beforeRevoke(c.sum)
	}
	for _, look := range c.looksAt(c.nearest(), "") {
		if look.Set.Readable() && slices.Contains(look.Set.Credentials(), c.fresh) {
			return c.first >= look.At+history.Offset(c.limits.Wall(c.validator.Refills()))
		}
	}
	return false
}

// described is a key in the words of a set.
func described(k history.Key) string {
	name := k.Kid
	if k.Credential != "" {
		name = k.Credential
	}
	what := k.Kty
	for _, more := range []string{k.Crv, k.Alg} {
		if more != "" {
			what += " " + more
		}
	}
	if k.Use != "" {
		what += ", use " + k.Use
	}
	return fmt.Sprintf("%s (%s)", name, what)
}
