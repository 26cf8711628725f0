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
	ended := c.cutOff(service)
	if ended.n == 0 || !ended.began {
		return explanation{}, false
	}
	m, _ := c.limits.Emitter(service)
	shorter := ""
	if m.Life > c.limits.LongestLife {
		shorter = fmt.Sprintf("; or let %s keep a connection for %s at most, as the page says", service, plan.Text(c.limits.LongestLife))
	}
	told := explanation{
		cause: CauseCutOff, credential: c.old,
		why: fmt.Sprintf("%s ended %s of %s with the %s of %s, and some were in use", ended.authority, plan.Counted(ended.n, "session"), service, c.causedBy, c.old),
		fix: fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s: until then a pool may still use what it made with %s%s",
			plan.Text(c.limits.Outlives(m.Life)), c.longerThanThePage(m.Life), c.old, shorter),
	}
	kept := c.first - c.lastSwitch()
	switch {
	case ended.old == 0 && c.causedBy == string(keyring.Revoke):
		told.why += fmt.Sprintf(", all of them made with %s: it cannot tell by which password a session was made, and ends every one of the user", c.fresh)
		told.fix = fmt.Sprintf("have %s make a cut connection anew and ask once more, or revoke without ending sessions, and end those of %s by their age", service, c.old)
	// One that waited for so long already is cured by no window that the page asks for.
	case c.causedBy == string(keyring.Revoke) && kept >= history.Offset(c.limits.Wall(c.limits.Outlives(m.Life))):
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

// cutOffs are the sessions of a consumer that an authority ended.
type cutOffs struct {
	authority string
	n, old    int64 // of them all, and of those not known to be of the new credential
	began     bool  // what the cell suffered began with them, and not before
}

// cutOff are those that were ended while the cell suffered.
func (c *cell) cutOff(consumer string) (ended cutOffs) {
	about := history.Offset(nearly)
	for _, event := range c.events {
		if event.Kind != history.KindEnded || event.Reader != consumer || event.At < c.first-about || event.At > c.last+about {
			continue
		}
		ended.authority, ended.began = event.Service, ended.began || event.At <= c.first+about
		if ended.n++; event.Credential != c.fresh {
			ended.old++
		}
	}
	return ended
}
