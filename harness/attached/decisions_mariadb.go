package attached

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// auditLine is one that MariaDB's own audit plugin (server_audit, 1.4: with CONNECT among
// its events) writes of a login and of the end of a session, whatever stands before it: its user, its session, which of
// the two, whether a login failed, and with what. Of an end it does not say who ended it: the code is 0 where a client
// closed the session, where an administrator killed it, and where the server was stopped.
var auditLine = regexp.MustCompile(`,([^,]*),[^,]*,(\d+),\d+,(FAILED_CONNECT|CONNECT|DISCONNECT),[^,]*,[^,]*,(\d+)\s*(?:,|$)`)

// mariaDB takes a line of a server's audit log. Lines of users that no credential has
// are somebody else's.
func (d *decisionReader) mariaDB(service, raw string) {
	m := auditLine.FindStringSubmatch(raw)
	if m == nil {
		return
	}
	user, session, event, code := m[1], m[2], m[3], m[4]
	if event != "DISCONNECT" {
		d.understands(service, d.system.acceptedAs(service, user) != "")
	}
	switch {
	case event == "CONNECT":
		d.mu.Lock()
		defer d.mu.Unlock()
		l := login{
			service: service, role: user, status: mariaDBServer{}.taken(), at: time.Now(), process: session,
			session: sessionAt(d.system.attach.Present[service].DSN, session),
		}
		d.pending = append(d.pending, l)
		d.sessions[service+" "+session] = &l
	case event == "DISCONNECT":
		d.leaves(service, session, time.Now())
	case (mariaDBServer{}).refuses(code):
		d.refused(service, user, "", code)
	case !d.wasShown(service, d.system.acceptedAs(service, user), history.MessageUndecided, time.Now()):
		l := login{service: service, role: user}
		if code == mariaDBNoRight {
			d.told(service, string(history.KindDenied), l, code, "it has no right to the database")
		}
		d.told(service, history.MessageUndecided, l, code, "no refusal of a password")
	}
}

// mariaDBNoRight is the number of a login that may not have the database it asks for (ER_DBACCESS_DENIED_ERROR).
const mariaDBNoRight = "1044"

// isOwnSession reports whether a login is a session of the harness. unsure: a probe is logging in as
// the same user at this moment. d.mu is held.
func (d *decisionReader) isOwnSession(l login, now time.Time) (own, unsure bool) {
	own = l.session != "" && d.own[l.session]
	return own, !own && l.session != "" && d.probes[l.role] > 0 && now.Sub(l.at) < loginTimeout
}

// leaves remembers that a session of a server is gone, until it is known which others went with it.
func (d *decisionReader) leaves(service, session string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := service + " " + session
	l := d.sessions[key]
	delete(d.sessions, key)
	if l != nil && now.Sub(l.at) >= settles { // one that comes and goes was not ended
		gone := *l
		gone.at = now
		d.left = append(d.left, departure{gone, l.at})
	}
}

// departure is a session that is gone, and since when it was there.
type departure struct {
	login
	since time.Time
}

// endedSessions are those of the sessions gone by now that their server ended, which its log does not say: all of their
// user went within a moment, and with them one that the harness held and would not close.
func (d *decisionReader) endedSessions(now time.Time) (ended []login) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.left) > 0 && now.Sub(d.left[0].at) >= settles {
		first := d.left[0]
		var together, others []departure
		for _, l := range d.left {
			if l.service == first.service && l.role == first.role && l.at.Sub(first.at) <= settles {
				together = append(together, l)
			} else {
				others = append(others, l)
			}
		}
		if !d.wentWithOurs(together) { // another may have gone with ours a moment later
			d.left = d.left[1:]
			continue
		}
		d.left = others
		for _, l := range together {
			if !d.own[l.session] {
				ended = append(ended, l.login)
			}
		}
	}
	return ended
}

// wentWithOurs reports whether sessions of one user that went in one moment are all that were there, and one of them is
// a session that the harness held. d.mu is held.
func (d *decisionReader) wentWithOurs(together []departure) bool {
	first := together[0]
	if !d.held[shown{first.service, first.role}] || !slices.ContainsFunc(together, func(l departure) bool { return d.own[l.session] }) {
		return false
	}
	for key, l := range d.sessions {
		if strings.HasPrefix(key, first.service+" ") && l.role == first.role && l.at.Before(first.at) {
			return false // the server ends all of them, or the harness's alone says nothing of the others
		}
	}
	return true
}
