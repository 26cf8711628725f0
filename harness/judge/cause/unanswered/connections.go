package unanswered

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// connectionShortage says that an authority had no room for more connections, in all or of that user.
// It refuses such a connection before it looks at the password.
type connectionShortage struct {
	authority, presenter, credential string
	status                           string
	n                                int64 // connections that it refused
}

// shortOfConnections finds whether a consumer lacked connections when the cell began to suffer:
// once a pool lacks them, other things go wrong as well.
func shortOfConnections(c *cell.Cell, consumer string) (crowd connectionShortage, ok bool) {
	var most int64
	from, to := c.First, c.Last
	for _, key := range c.JudgedCells() {
		if key.Presenter != consumer || key.Validator == consumer {
			continue
		}
		sum := c.View.Sum(key, from-evidence.Nearly, to+evidence.Nearly)
		status, n := withoutRoom(sum.Statuses)
		if n == 0 || crowd.authority != "" && crowd.authority != key.Validator {
			continue
		}
		first := c.View.Sum(key, from-evidence.Nearly, from+evidence.Nearly)
		_, at := withoutRoom(first.Statuses)
		ok = ok || at > 0
		crowd.authority, crowd.presenter, crowd.n = key.Validator, consumer, crowd.n+n
		if n > most {
			most, crowd.credential, crowd.status = n, key.Credential, status
		}
	}
	return crowd, ok
}

// withoutRoom is the most frequent status that says there was no room, and how often it came.
func withoutRoom(statuses map[string]int64) (status string, n int64) {
	for s, times := range statuses {
		if refusal.NoRoom(s) && times > n {
			status, n = s, times
		}
	}
	return status, n
}

// TooManyConnections matches where the authority of a consumer had no room for its connections. It
// names the consumer, whose pools need more than there is.
func TooManyConnections(c *cell.Cell) (cell.Explanation, bool) {
	who := c.Validator.Name // the service that is called
	if c.Symptom == cell.Absent {
		who = c.Presenter
	}
	crowd, ok := shortOfConnections(c, who)
	if !ok {
		return cell.Explanation{}, false
	}
	if refusal.OwnLimit(crowd.status) {
		return tellOwnLimit(c, crowd), true
	}
	v, _ := c.Limits.Validator(crowd.authority)
	m, _ := c.Limits.Emitter(crowd.presenter)
	need, pools := pools(c.Evidence, crowd.authority)
	told := cell.Explanation{
		Cause: judge.CauseTooManyConns, Consumer: crowd.presenter, Credential: crowd.credential,
		Why: fmt.Sprintf("%s had no room for %d new connections of %s with %s (status %s, which is no auth failure)",
			crowd.authority, crowd.n, crowd.presenter, crowd.credential, crowd.status),
	}
	if v.Connections > 0 {
		told.Why += fmt.Sprintf("; it has room for %d", v.Connections)
	}
	room := "more"
	if need > 0 {
		told.Why += ", and its consumers need " + pools
		room = fmt.Sprintf("at least %d", need)
	}
	told.Fix = fmt.Sprintf("give %s room for %s connections, and a few for people and probes (max_connections, or the role's CONNECTION LIMIT), or %s a smaller pool",
		crowd.authority, room, crowd.presenter)
	if m.SwapsPool {
		told.Fix += fmt.Sprintf("; or close the old pool of %s before its new one is filled, or let one pool make its connections anew one by one (BeforeConnect in pgx)", crowd.presenter)
	}
	return told, true
}

// tellOwnLimit tells of a user who may have no more connections, whatever room the server has for others: of the old
// credential from its revoke on that is how it was revoked.
func tellOwnLimit(c *cell.Cell, crowd connectionShortage) cell.Explanation {
	told := cell.Explanation{
		Cause: judge.CauseTooManyConns, Consumer: crowd.presenter, Credential: crowd.credential,
		Why: fmt.Sprintf("%s let %d new connections of %s with %s not in because of a limit of connections that its user has (status %s: no auth failure, and others find room)",
			crowd.authority, crowd.n, crowd.presenter, crowd.credential, crowd.status),
		Fix: fmt.Sprintf("raise the limit of the user of %s at %s to what the pools of %s need (CONNECTION LIMIT of a role, MAX_USER_CONNECTIONS), or give %s a smaller pool",
			crowd.credential, crowd.authority, crowd.presenter, crowd.presenter),
	}
	if revoked, done := c.Begun(keyring.Revoke, c.Old); done && crowd.credential == c.Old && c.First >= revoked-evidence.Nearly {
		told.CausedBy = string(keyring.Revoke)
		told.Why += fmt.Sprintf("; it began with the revoke of %s, which %s still used", c.Old, crowd.presenter)
		told.Fix = fmt.Sprintf("have %s log in with %s before the revoke: revoke %s only when it is not used any more; and have the step revoke end the login itself, not only its connections", crowd.presenter, c.Fresh, c.Old)
	}
	return told
}

// pools is how many connections the consumers of an authority need at the switch, in all and each in
// words; 0 where that is unknown for one of them.
func pools(e *evidence.Evidence, authority string) (need int, words string) {
	var each []string
	seen := map[string]bool{}
	for _, key := range e.JudgedCells() {
		m, ok := e.Limits.Emitter(key.Presenter)
		switch {
		case key.Validator != authority || seen[key.Presenter]:
			continue
		case !ok || m.Pool == 0:
			return 0, ""
		}
		seen[m.Name] = true
		how := "the pool of " + m.Name
		if m.SwapsPool {
			how = fmt.Sprintf("%s fills a new pool of %d while the connections of its old one live on, for up to %s", m.Name, m.Pool, plan.Text(e.Limits.LongestLife))
		}
		need, each = need+m.Connections(), append(each, fmt.Sprintf("%d (%s)", m.Connections(), how))
	}
	words = strings.Join(each, " and ")
	if len(each) > 1 {
		words += fmt.Sprintf(", %d in all", need)
	}
	return need, words
}
