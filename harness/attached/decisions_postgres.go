package attached

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// What a PostgreSQL server logs with log_connections = on, whatever stands before
// it (19.8.3): the role that is let in, and the refusals of one.
var (
	pgAuthorised = regexp.MustCompile(`connection authorized: user=(\S+)(?:.*? application_name=(\S+))?`)
	pgPassword   = regexp.MustCompile(`FATAL:\s+password authentication failed for user "([^"]+)"`)
	pgNoEntry    = regexp.MustCompile(`FATAL:\s+(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host.* user "([^"]+)"`)
	pgNoLogin    = regexp.MustCompile(`FATAL:\s+role "([^"]+)" (?:is not permitted to log in|does not exist)`)
	pgPrefix     = regexp.MustCompile(`^(.*?)(FATAL|ERROR|LOG):\s+(.*)`)
	pgProcess    = regexp.MustCompile(`\[(\d+)\]`) // as %p of its default log_line_prefix
)

// Results of a login that say nothing of its password (Appendix A).
const (
	pgNoRoom  = "53300" // too_many_connections
	pgNoRight = "42501" // insufficient_privilege
	pgOther   = "58000" // the server's own: nothing is said of the password
)

// pgRoleFull begins what a server says to a role that has as many connections as it may have (ALTER ROLE … CONNECTION
// LIMIT); 0 lets nobody in.
const pgRoleFull = "too many connections for role"

// postgres takes a line of a server. Roles that no credential has are not this rotation's.
func (d *decisionReader) postgres(service, raw string) {
	process := ""
	prefix := pgPrefix.FindStringSubmatch(raw)
	if prefix != nil {
		if m := pgProcess.FindStringSubmatch(prefix[1]); m != nil {
			process = m[1]
		}
	}
	if m := pgAuthorised.FindStringSubmatch(raw); m != nil {
		d.understands(service, d.system.acceptedAs(service, m[1]) != "")
		forProbe := m[2] == "" && d.isShownBehind(shown{service, d.system.acceptedAs(service, m[1])}, time.Now())
		d.mu.Lock()
		defer d.mu.Unlock()
		l := login{service: service, role: m[1], presenter: m[2], status: postgresServer{}.taken(), process: process, forProbe: forProbe, at: time.Now()}
		if !forProbe {
			d.pending = append(d.pending, l)
		}
		if process != "" {
			d.sessions[service+" "+process] = &l
		}
		return
	}
	for _, refusal := range []struct {
		says   *regexp.Regexp
		status string
	}{{pgPassword, "28P01"}, {pgNoEntry, "28000"}, {pgNoLogin, "28000"}} {
		if m := refusal.says.FindStringSubmatch(raw); m != nil {
			d.understands(service, d.system.refusedAs(service, m[1]) != "")
			l, authorised := d.withdraw(func(l login) bool { return l.service == service && l.role == m[1] && l.process == process })
			if d.isForProbe(service, process) || !authorised && d.isShownBehind(shown{service, d.system.refusedAs(service, m[1])}, time.Now()) {
				return
			}
			d.refused(service, m[1], l.presenter, refusal.status)
			return
		}
	}
	if prefix != nil {
		d.postgresSession(service, process, prefix[2], prefix[3])
	}
}

// isForProbe reports whether a process of a server serves what a pooler logged in with for a probe.
func (d *decisionReader) isForProbe(service, process string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.sessions[service+" "+process]
	return process != "" && l != nil && l.forProbe
}

// postgresSession takes a line about a login that was authorised: there was no room for it, it was
// denied something, or it ended.
func (d *decisionReader) postgresSession(service, process, severity, text string) {
	d.mu.Lock()
	l := d.sessions[service+" "+process]
	var is login // what is known of it is kept by others, too
	if l != nil {
		is = *l
	}
	d.mu.Unlock()
	denied := strings.HasPrefix(text, "permission denied")
	switch {
	case l == nil || severity == "LOG" || is.forProbe:
	case strings.HasPrefix(text, "terminating connection"):
		d.told(service, string(history.KindEnded), is, "57P01", text)
	case denied && severity == "ERROR" && !l.denied:
		l.denied = true // lines of one log come one after the other
		d.told(service, string(history.KindDenied), is, pgNoRight, text)
	case severity == "FATAL":
		if l, waits := d.withdraw(func(l login) bool { return l.service == service && l.process == process }); waits {
			status := pgOther
			switch {
			case denied:
				status = pgNoRight
				d.told(service, string(history.KindDenied), l, status, text)
			case strings.HasPrefix(text, pgRoleFull):
				status = refusal.PostgresRoleFull
			case strings.Contains(text, "too many") || strings.Contains(text, "connection slots are reserved"):
				status = pgNoRoom
			}
			d.told(service, history.MessageUndecided, l, status, text)
		}
	}
}

// told records what a login came to besides its password.
func (d *decisionReader) told(service, message string, l login, status, text string) {
	identifier := d.system.acceptedAs(service, l.role)
	d.mu.Lock()
	tell := d.tell
	presenter := d.who(shown{service, identifier}, l.presenter, true)
	d.mu.Unlock()
	what := ""
	if l.idle && message == string(history.KindEnded) {
		what = history.Idle
	}
	line, err := json.Marshal(history.Line{
		What: what, Time: time.Now(), Level: "INFO", Message: message, Service: service, Identifier: identifier, Presenter: presenter, Status: status, Detail: text, Attempt: 1,
	})
	if err != nil || tell == nil || identifier == "" || strings.HasPrefix(l.presenter, probeName) {
		return
	}
	tell(service, line)
}

// withdraw removes the last authorised login for which is holds; false where there is none.
func (d *decisionReader) withdraw(is func(login) bool) (login, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range slices.Backward(d.pending) {
		if is(l) {
			d.pending = slices.Delete(d.pending, i, i+1)
			return l, true
		}
	}
	return login{}, false
}
