package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// cutOff matches where an authority ended sessions of a service that were in use.
func cutOff(c *cell) (explanation, bool) {
	service := c.validator.Name
	authority, n, began := c.cutOff(service)
	if n == 0 || !began {
		return explanation{}, false
	}
	m, _ := c.limits.Emitter(service)
	shorter := ""
	if m.Life > c.limits.LongestLife {
		shorter = fmt.Sprintf("; or let %s keep a connection for %s at most, as the page says", service, plan.Text(c.limits.LongestLife))
	}
	told := explanation{
		cause: CauseCutOff, credential: c.old,
		why: fmt.Sprintf("%s ended %s of %s with the %s of %s, and some were in use", authority, plan.Counted(n, "session"), service, c.causedBy, c.old),
		fix: fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s: until then a pool may still use what it made with %s%s",
			plan.Text(c.limits.Outlives(m.Life)), c.longerThanThePage(m.Life), c.old, shorter),
	}
	// One that waited for so long already is cured by no window that the page asks for.
	if kept := c.first - c.lastSwitch(); c.causedBy == string(keyring.Revoke) && kept >= history.Offset(c.limits.Wall(c.limits.Outlives(m.Life))) {
		life := max(m.Life, c.limits.LongestLife)
		told.why += fmt.Sprintf(", %s after the last emitter's switch: it keeps connections for longer than the %s of the page, or for good", c.page(kept), plan.Text(life))
		told.fix = fmt.Sprintf("have the pool of %s close connections that are %s old, in use or not (a maximum lifetime), or write on the page for how long it keeps them (format.longest_life) and widen the window to that", service, plan.Text(life))
	}
	return told, true
}

// lastSwitch is when the last emitter began to use the new credential: not before the emit.
func (e *evidence) lastSwitch() history.Offset {
	emitted, _ := e.done(string(keyring.Emit), e.fresh)
	return max(emitted, e.view.LastSwitch(e.fresh))
}

// cutOff is how many sessions of a consumer an authority ended meanwhile, and
// which; began says that what the cell suffered began with that, and not before.
func (c *cell) cutOff(consumer string) (authority string, n int64, began bool) {
	about := history.Offset(nearly)
	for _, event := range c.events {
		if event.Kind == history.KindEnded && event.Reader == consumer && event.At >= c.first-about && event.At <= c.last+about {
			authority, n, began = event.Service, n+1, began || event.At <= c.first+about
		}
	}
	return authority, n, began
}
