package judge

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// tooManyConnections is the SQLSTATE with which PostgreSQL refuses a connection
// that it has no room for (Appendix A, 53300): beyond max_connections, or the
// CONNECTION LIMIT of a role or a database. A wrong password it refuses as such
// (28P01), if it comes to look at it: this one is no auth failure.
const tooManyConnections = "53300"

// crowding is that an authority had no room for connections of a consumer.
type crowding struct {
	authority, presenter, credential string
	n                                int64 // connections that it refused
}

// crowded is the crowding of a consumer in a stretch of time, if that began with
// it: once a pool lacks connections, other things go wrong as well.
func (e *evidence) crowded(consumer string, from, to history.Offset) (c crowding, there bool) {
	var most int64
	for _, key := range e.hop() {
		if key.Presenter != consumer || key.Validator == consumer {
			continue
		}
		sum := e.view.Sum(key, from-history.Offset(nearly), to+history.Offset(nearly))
		n := sum.Statuses[tooManyConnections]
		if n == 0 || c.authority != "" && c.authority != key.Validator {
			continue
		}
		first := e.view.Sum(key, from-history.Offset(nearly), from+history.Offset(nearly))
		there = there || first.Statuses[tooManyConnections] > 0
		c.authority, c.presenter, c.n = key.Validator, consumer, c.n+n
		if n > most {
			most, c.credential = n, key.Credential
		}
	}
	return c, there
}

// tellCrowded makes a finding of it, which names the consumer: its pools need
// more than there is.
func (e *evidence) tellCrowded(f *Finding, c crowding) (what string) {
	f.Cause, f.Consumer, f.Credential = CauseTooManyConns, c.presenter, c.credential
	v, _ := e.limits.Validator(c.authority)
	m, _ := e.limits.Emitter(c.presenter)
	need, pools := e.pools(c.authority)
	what = fmt.Sprintf("%s had no room for %d new connections of %s with %s (SQLSTATE %s, which is no auth failure)",
		c.authority, c.n, c.presenter, c.credential, tooManyConnections)
	if v.Connections > 0 {
		what += fmt.Sprintf("; it has room for %d", v.Connections)
	}
	if need > 0 {
		what += ", and its consumers need " + pools
	}
	room := "more"
	if need > 0 {
		room = fmt.Sprintf("at least %d", need)
	}
	f.Fix = fmt.Sprintf("give %s room for %s connections, and a few for people and probes (max_connections, or the role's CONNECTION LIMIT), or %s a smaller pool",
		c.authority, room, c.presenter)
	if m.SwapsPool {
		f.Fix += fmt.Sprintf("; or close the old pool of %s before its new one is filled, or let one pool make its connections anew one by one (BeforeConnect in pgx)", c.presenter)
	}
	return what
}

// pools is how many connections the consumers of an authority need at the
// switch, in all and each in words; 0 where that is not known of one.
func (e *evidence) pools(authority string) (need int, words string) {
	var each []string
	seen := map[string]bool{}
	for _, key := range e.hop() {
		m, there := e.limits.Emitter(key.Presenter)
		switch {
		case key.Validator != authority || seen[key.Presenter]:
			continue
		case !there || m.Pool == 0:
			return 0, ""
		}
		seen[m.Name] = true
		how := "the pool of " + m.Name
		if m.SwapsPool {
			how = fmt.Sprintf("%s fills a new pool of %d while the connections of its old one live on, for up to %s", m.Name, m.Pool, plan.Text(e.limits.LongestLife))
		}
		need, each = need+m.Connections(), append(each, fmt.Sprintf("%d (%s)", m.Connections(), how))
	}
	words = strings.Join(each, " and ")
	if len(each) > 1 {
		words += fmt.Sprintf(", %d in all", need)
	}
	return need, words
}
