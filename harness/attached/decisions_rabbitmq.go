package attached

import (
	"regexp"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// What a RabbitMQ node logs of connections (3.10). Each line begins with the Erlang process
// that writes it; one that says which connection it is about stands before those that do not:
//
//	<0.799.0> connection <0.799.0> (127.0.0.1:40 -> 127.0.0.1:5672) has a client-provided name: shop
//	<0.799.0> connection <0.799.0> (127.0.0.1:40 -> 127.0.0.1:5672 - shop): user 'a' authenticated and granted access to vhost '/'
//	<0.799.0> Error on AMQP connection <0.799.0> (127.0.0.1:40 -> 127.0.0.1:5672, state: starting):
//	<0.799.0> PLAIN login refused: user 'a' - invalid credentials
var (
	mqConnection = regexp.MustCompile(`(<[\d.]+>) .*<[\d.]+> \((\S+ -> [^\s,)]+)(?: - ([^,)]*))?[,)]`)
	mqNamed      = regexp.MustCompile(`\) has a client-provided name: (.*\S)`)
	mqLetIn      = regexp.MustCompile(`\): user '([^']+)' authenticated and granted access to vhost`)
	mqRefused    = regexp.MustCompile(`(<[\d.]+>) \S+ login refused: user '([^']+)'`)
	mqForbidden  = regexp.MustCompile(`(<[\d.]+>) (access to vhost '[^']*' refused for user '([^']+)'.*|connection refused for user '([^']+)': .*)`)
	mqForced     = regexp.MustCompile(`(<[\d.]+>)\s+operation \S+ caused a connection exception (connection_forced: .*)`)
	mqDenied     = regexp.MustCompile(`(<[\d.]+>)\s+operation \S+ caused a channel exception (access_refused: .*)`)

	// rabbitMQFull finds what a node says of a user or a virtual host with as many connections as it may have.
	rabbitMQFull = regexp.MustCompile(`connection limit .*is reached`)
)

// The reply codes of what is none of the password (AMQP 0-9-1, 1.2).
const (
	mqNoAccess = "530" // not-allowed
	mqEnded    = "320" // connection-forced
	mqNoRight  = "403" // access-refused, of a channel
)

// rabbitMQ takes a line of a node. Those of users that no credential has are somebody else's.
func (d *decisionReader) rabbitMQ(service, raw string) {
	if m := mqConnection.FindStringSubmatch(raw); m != nil {
		l, in := d.rabbitMQConnection(service, raw, m[1], m[2], m[3])
		identifier := d.system.acceptedAs(service, l.role)
		if in {
			d.understands(service, identifier != "")
		}
		if in && identifier != "" {
			d.decided(service, service, l.presenter, identifier, l.status, true, time.Now())
		}
		return
	}
	if m := mqRefused.FindStringSubmatch(raw); m != nil {
		is := d.writes(service, m[1])
		d.understands(service, d.system.refusedAs(service, m[2]) != "")
		if is.presenter == "" || strings.HasPrefix(is.presenter, probeName) {
			d.refused(service, m[2], is.presenter, mqNoRight)
		} else if identifier := d.system.refusedAs(service, m[2]); identifier != "" {
			d.decided(service, service, is.presenter, identifier, mqNoRight, false, time.Now())
		}
		return
	}
	if m := mqForbidden.FindStringSubmatch(raw); m != nil {
		is := d.writes(service, m[1])
		is.service, is.role = service, m[3]+m[4]
		d.understands(service, d.system.acceptedAs(service, is.role) != "")
		status := mqNoAccess
		if rabbitMQFull.MatchString(m[2]) {
			status = rabbitMQNoRoom
		} else {
			d.told(service, string(history.KindDenied), is, status, m[2])
		}
		d.told(service, history.MessageUndecided, is, status, m[2])
		return
	}
	if m := mqForced.FindStringSubmatch(raw); m != nil {
		d.told(service, string(history.KindEnded), d.writes(service, m[1]), mqEnded, m[2])
	} else if m := mqDenied.FindStringSubmatch(raw); m != nil {
		if is := d.writes(service, m[1]); d.deniedFirst(service, m[1]) {
			d.told(service, string(history.KindDenied), is, mqNoRight, m[2])
		}
	}
}

// rabbitMQConnection takes a line that says which connection it is about, and returns that where it was let in.
func (d *decisionReader) rabbitMQConnection(service, raw, writer, address, name string) (login, bool) {
	key := service + " " + address
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.sessions[key]
	if l == nil {
		l = &login{service: service, process: address, status: rabbitMQServer{}.taken()}
		d.sessions[key] = l
	}
	if m := mqNamed.FindStringSubmatch(raw); m != nil {
		name = m[1]
	}
	if name != "" {
		l.presenter = name
	}
	d.sessions[service+" "+writer] = l
	if strings.Contains(raw, "closing AMQP connection") {
		delete(d.sessions, key)
		delete(d.sessions, service+" "+writer)
	}
	if m := mqLetIn.FindStringSubmatch(raw); m != nil {
		l.role = m[1]
		return *l, true
	}
	return login{}, false
}

// writes is the connection that a process of a node last wrote of.
func (d *decisionReader) writes(service, writer string) login {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.sessions[service+" "+writer]; l != nil {
		return *l
	}
	return login{service: service}
}

// deniedFirst reports whether the connection of which a channel wrote is denied something for the first
// time. The channel ends with it.
func (d *decisionReader) deniedFirst(service, channel string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.sessions[service+" "+channel]
	delete(d.sessions, service+" "+channel)
	if l == nil || l.denied {
		return false
	}
	l.denied = true
	return true
}
