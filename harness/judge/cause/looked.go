package cause

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// looksAt are the looks at the key set of a service, in order: as the harness found it, or through the
// proxy of a party.
func (e *Case) looksAt(service, reader string) []history.Event {
	var found []history.Event
	for _, event := range e.Events {
		if event.Kind == history.KindLooked && event.Service == service && event.Reader == reader && event.Set != nil && event.At <= e.End {
			found = append(found, event)
		}
	}
	return found
}

// setAt is the set last found at a service until a moment; false where none was.
func (e *Case) setAt(service string, at history.Offset) (*history.KeySet, bool) {
	var set *history.KeySet
	for _, look := range e.looksAt(service, "") {
		if look.At <= at && look.Set.Readable() {
			set = look.Set
		}
	}
	return set, set != nil
}

// unreadableAt reports whether the last look at a service until a moment found no set: what it had
// since then nobody knows.
func (e *Case) unreadableAt(service string, at history.Offset) (unreadable bool) {
	for _, look := range e.looksAt(service, "") {
		if look.At <= at {
			unreadable = !look.Set.Readable()
		}
	}
	return unreadable
}

// lookedAt is how the last look at a service until a moment was answered; "" where there was none.
func (e *Case) lookedAt(service string, at history.Offset) (status string) {
	for _, look := range e.looksAt(service, "") {
		if look.At <= at {
			status = look.Set.Status
		}
	}
	return status
}

// failsAt reports whether the last look at a service until a moment was answered with an error of
// its own. That the harness is turned away says nothing of others.
func (e *Case) failsAt(service string, at history.Offset) bool {
	status, err := strconv.Atoi(e.lookedAt(service, at))
	return err == nil && status >= http.StatusInternalServerError
}

// nearest is where the validator fetches: the gateway or cache before it, or the emitter.
func (c *Cell) nearest() string {
	if c.Validator.Via != "" {
		return c.Validator.Via
	}
	return c.Validator.From
}

// sourceOf is the party farthest up the validator's way whose set has something at a moment: the others
// have it from there.
func (c *Cell) sourceOf(at history.Offset, has func(*history.KeySet) bool) string {
	for _, service := range []string{c.Validator.From, c.nearest()} {
		if set, seen := c.setAt(service, at); seen && has(set) && !c.unreadableAt(service, at) {
			return service
		}
	}
	return c.nearest()
}

// overdue reports whether the validator should have taken the credential that it refused: the old one
// was not revoked, or the set has had the new one for longer than the validator keeps a set.
func (c *Cell) overdue() bool {
	if !c.isFresh() {
		return c.beforeRevoke(c.Sum)
	}
	for _, look := range c.looksAt(c.nearest(), "") {
		if look.Set.Readable() && slices.Contains(look.Set.Credentials(), c.Fresh) {
			return c.First >= look.At+history.Offset(c.Limits.Wall(c.Validator.Refills()))
		}
	}
	return false
}

// described describes a key in the words of a set.
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
