package unanswered

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/switching"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// CutOff matches where an authority ended sessions of a service that were in use.
func CutOff(c *cell.Cell) (cell.Explanation, bool) {
	service := c.Validator.Name
	ended := endedSessions(c, service)
	if ended.n == 0 || !ended.began {
		return cell.Explanation{}, false
	}
	m, _ := c.Limits.Emitter(service)
	shorter := ""
	if m.Life > c.Limits.LongestLife {
		shorter = fmt.Sprintf("; or let %s keep a connection for %s at most, as the page says", service, plan.Text(c.Limits.LongestLife))
	}
	told := cell.Explanation{
		Cause: judge.CauseCutOff, Credential: c.Old,
		Why: fmt.Sprintf("%s ended %s of %s with the %s of %s, and some were in use", ended.authority, plan.Counted(ended.n, "session"), service, c.CausedBy, c.Old),
		Fix: fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s: until then a pool may still use connections that it made with %s%s",
			plan.Text(c.Limits.Outlives(m.Life)), switching.LongerThanThePage(c.Evidence, m.Life), c.Old, shorter),
	}
	emitted, _ := c.Done(keyring.Emit, c.Fresh)
	switched := max(emitted, c.View.LastSwitch(c.Fresh)) // the last emitter's, at the earliest with the emit
	if switched >= c.First-evidence.Nearly {             // a cut connection made it connect anew, with the new credential
		switched = emitted
	}
	kept := c.First - switched
	switch {
	case ended.old == 0 && c.CausedBy == string(keyring.Revoke):
		told.Why += fmt.Sprintf(", all of them made with %s: it cannot tell which password a session was made with, and ends all sessions of the user", c.Fresh)
		told.Fix = fmt.Sprintf("have %s reconnect and retry when a connection is cut, or revoke without ending sessions, and end those of %s by their age", service, c.Old)
	// A window as long as the page asks for would not have helped.
	case c.CausedBy == string(keyring.Revoke) && kept >= history.Offset(c.Limits.Wall(c.Limits.Outlives(m.Life))):
		life := max(m.Life, c.Limits.LongestLife)
		told.Why += fmt.Sprintf(", %s after the last emitter's switch: it keeps connections for longer than the %s on the page, or forever", c.Page(kept), plan.Text(life))
		told.Fix = fmt.Sprintf("have the pool of %s close connections that are %s old, in use or not (a maximum lifetime), or write on the page for how long it keeps them (format.longest_life) and widen the window to that", service, plan.Text(life))
	}
	return told, true
}

// InUseAtRevoke matches where a service had no good answer from the revoke on and was until then served
// on connections made with the old credential, by a pooler, say, which has no session of that at its
// database any more. No log says that they were ended.
func InUseAtRevoke(c *cell.Cell) (cell.Explanation, bool) {
	revoked, was := c.Begun(keyring.Revoke, c.Old)
	service, by, n, last := c.Validator.Name, "", int64(0), history.Offset(0)
	for _, event := range c.Events {
		if event.Kind == history.KindLived && event.Reader == service && event.Credential == c.Old && was && event.At >= revoked-evidence.Nearly {
			by, n, last = event.Service, n+1, event.At
		}
	}
	if n == 0 || c.First < revoked-evidence.Nearly || c.First > last+patience {
		return cell.Explanation{}, false
	}
	m, _ := c.Limits.Emitter(service)
	life := max(m.Life, c.Limits.LongestLife)
	return cell.Explanation{
		Cause: judge.CauseCutOff, Credential: c.Old, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("%s was still served by %s on %s made with %s when that was revoked, and got no good answer on them since", service, by, plan.Counted(n, "connection"), c.Old),
		Fix: fmt.Sprintf("have the pool of %s close connections that are %s old, in use or not (a maximum lifetime), or write on the page for how long it keeps them (format.longest_life) and widen the window to that", service, plan.Text(life)),
	}, true
}

// cutOffs are a consumer's sessions that an authority ended.
type cutOffs struct {
	authority string
	n, old    int64 // all, and those not known to be of the new credential
	began     bool  // the cell began to suffer with them
}

// endedSessions are the sessions that were ended while the cell suffered.
func endedSessions(c *cell.Cell, consumer string) (ended cutOffs) {
	for _, event := range c.SessionsEnded(consumer, c.First-evidence.Nearly, c.Last+evidence.Nearly) {
		ended.authority, ended.began = event.Service, ended.began || event.At <= c.First+evidence.Nearly
		if ended.n++; event.Credential != c.Fresh {
			ended.old++
		}
	}
	return ended
}
