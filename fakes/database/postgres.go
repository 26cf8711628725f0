package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// decisionsWithin bounds the wait for the server's log to tell what became of
	// the last connections.
	decisionsWithin = 2 * time.Second
	// defaultConnections is the Connections of a server that is not told.
	defaultConnections = 200
	// reservedConnections are those that superusers have in any case: PostgreSQL's
	// own default (superuser_reserved_connections). The harness administers the
	// server as one, so that a server without room for others still obeys it.
	reservedConnections = 3
)

// ServePostgres runs a real PostgreSQL server as its child, in a folder of its
// own that is gone when it ends. It is reached at the one address of the
// stand-in, beside what every stand-in answers by HTTP: the first byte tells the
// two apart. What the server decides about each connection it tells in its log.
//
//	client ──► listener ──┬─ HTTP ──► healthz, status
//	                      └─ PostgreSQL ──► server, whose log says what became of it
func ServePostgres(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	c, err := decode(config)
	if err != nil {
		return err
	}
	if c.Connections < 0 {
		return fmt.Errorf("check configuration: connections is %d, want at least 1, or 0 for %d", c.Connections, defaultConnections)
	}
	logger, ready := history.NewLogger(log, c.Name), standin.WaitingFor("the server")
	logins := newLogins(c.Name, logger)
	server, err := startPostgres(ctx, c, logger, logins.logged)
	if err != nil {
		return err
	}
	mux := standin.NewMux(ready, func() map[string]int64 {
		logins.settle(decisionsWithin)
		return logins.counters()
	})
	web := standin.NewSplit(listener, logger, 0, isPostgres, func(_ context.Context, conn *standin.Conn) {
		if err := logins.relay(conn, server.address); err != nil {
			logger.Debug("a connection ended", "detail", err.Error())
		}
	})
	return errors.Join(standin.ServeHTTP(ctx, web, mux, logger, func(ctx context.Context) error {
		return server.attend(ctx, server.version, func(version string) {
			logger.Info(string(history.KindService), "detail", version)
			ready.Set(nil)
		})
	}), server.stop())
}

// isPostgres tells the first byte of a start-up packet, which is that of its
// length (PostgreSQL, Frontend/Backend Protocol, Message Formats), from that of
// an HTTP method.
func isPostgres(first []byte) bool { return first[0] == 0 }

// logins are the connections to a server, each from its first packet until it
// is closed, by the local port under which the server knows it.
type logins struct {
	name string
	log  *slog.Logger
	// answers is told of an error with which the server ends a login, by its code and
	// its text; nil: its log tells.
	answers func(login *login, code, text string)
	// entered is told of a login that was accepted; nil: nobody is.
	entered func(login *login)
	// afterwards is for how long after a login the first answer of the session may
	// still take it back, where retracts says so of its text; 0: it never does.
	afterwards time.Duration
	retracts   func(text string) bool
	*tally
}

func newLogins(name string, log *slog.Logger) *logins {
	return &logins{name: name, log: log, tally: newTally()}
}

// logged takes a line of the server's log.
func (l *logins) logged(line postgresLine) {
	login := l.find(line.port)
	switch {
	case login != nil && line.state == stateNoRight && login.decided.Load():
		l.denied(login, line.text)
		return
	case line.severity != "FATAL" || login == nil:
		return
	case !login.decide():
		if line.state == stateEnded {
			l.end(login, stateEnded)
		}
	case line.refuses():
		l.refuse(login, line.state, line.text)
	default: // 53300 (too many connections), starting up: nothing is said of the password
		l.undecided(login, line.state, line.text)
	}
}

func (l *logins) attributes(login *login, status string) []any {
	return []any{
		"identifier", login.identifier, "presenter", login.presenter, "user", login.user, "remote", login.remote, "status", status,
		"latency_us", time.Since(login.began).Microseconds(),
	}
}

// lived tells for how long a session was in use that its client has left, where none of
// that presenter was for so long: that is how long its pool keeps one.
func (l *logins) lived(login *login) {
	life := time.Duration(login.used.Load())
	if login.own || !login.in.Load() || !l.longer(login, life) {
		return
	}
	l.log.Info(string(history.KindLived), "identifier", login.identifier, "presenter", login.presenter, "user", login.user, "remote", login.remote,
		"latency_us", life.Microseconds())
}

func (l *logins) accept(login *login, state string) {
	login.in.Store(true)
	l.count(login, &l.accepted)
	if !login.own {
		l.log.Info(history.MessageAccepted, l.attributes(login, state)...)
	}
}

func (l *logins) refuse(login *login, state, text string) {
	l.count(login, &l.refused)
	if !login.own {
		l.log.Info(history.MessageRefused, append(l.attributes(login, state), "detail", text)...)
	}
}

func (l *logins) undecided(login *login, state, text string) {
	l.count(login, &l.unsaid)
	if !login.own {
		l.log.Info(history.MessageUndecided, append(l.attributes(login, state), "detail", text)...)
	}
}

// denied tells, once of each session, that it may not do what it asked: the
// login was let in, and lacks a right.
func (l *logins) denied(login *login, text string) {
	if login.own || login.denied.Swap(true) {
		return
	}
	l.log.Info(string(history.KindDenied), "identifier", login.identifier, "presenter", login.presenter, "user", login.user, "remote", login.remote,
		"status", stateNoRight, "detail", text)
}

// end tells of a session that was ended from outside, with the database's own word
// for that: nothing is decided then.
func (l *logins) end(login *login, status string) {
	if login.own {
		return
	}
	l.log.Info(string(history.KindEnded), "identifier", login.identifier, "presenter", login.presenter, "user", login.user, "remote", login.remote, "status", status,
		"detail", fmt.Sprintf("%s ended a session of %s with %s", l.name, login.presenter, login.identifier))
}
