package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// notActiveYet matches where a service failed its callers from its switch to the
// new credential on, while nothing that it presented came to where the credential
// is checked, until the new one was first taken there: then all was well again.
// Something before the authority did not know it yet.
func notActiveYet(c *cell) (explanation, bool) {
	service, about := c.validator.Name, history.Offset(nearly)
	emitted, was := c.begun(string(keyring.Emit), c.fresh)
	if kind, _, _ := c.mostly(); !was || kind == "" || c.first < emitted || c.limits.Hop != history.FromAuthority {
		return explanation{}, false
	}
	for _, key := range c.hop() {
		if key.Presenter != service || key.Validator == service || key.Credential != c.fresh {
			continue
		}
		taken, ever := c.firstOK(key)
		old := key
		old.Credential = c.old
		meanwhile := c.view.Sum(key, emitted, taken-bucketWidth).Attempts + c.view.Sum(old, c.first+about, taken-bucketWidth).Attempts
		if !ever || meanwhile > 0 || taken-c.first < 2*about || taken < c.last-2*about || taken > c.last+2*about || c.view.Sum(old, c.start, c.first).OK == 0 {
			continue
		}
		return explanation{
			cause: CauseNotActive, consumer: key.Validator, credential: c.fresh,
			why: fmt.Sprintf("nothing that %s presented came to %s from its switch until %s was first taken there, %s after it was emitted: %s was not active yet where it is first shown",
				service, key.Validator, c.fresh, c.page(taken-emitted), c.fresh),
			fix: fmt.Sprintf("show %s to %s as its consumers do, and emit only when it is taken: at least %s after accepting", c.fresh, key.Validator, c.atLeast(taken-c.acceptedAt())),
		}, true
	}
	return explanation{}, false
}

// firstOK is when a cell was first taken.
func (e *evidence) firstOK(key history.CellKey) (history.Offset, bool) {
	for _, b := range e.view.Buckets(key, e.start, e.end+1) {
		if b.OK > 0 {
			return b.At, true
		}
	}
	return 0, false
}

// acceptedAt is when the new credential was accepted.
func (e *evidence) acceptedAt() history.Offset {
	at, _ := e.done(string(keyring.Accept), e.fresh)
	return at
}
