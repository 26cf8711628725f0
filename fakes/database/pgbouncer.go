package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// Texts with which PgBouncer refuses a login (1.18.0; each with SQLSTATE 08P01).
// Others are of a server that is not there, or of limits, and say nothing of a
// password.
var poolerRefusals = []string{
	"SASL authentication failed", "password authentication failed", "no such user", "no authentication", "wrong password type",
	poolerRetry,
}

// poolerRetry is how it refuses whoever comes while it does not try again to log in
// at the server, which had refused it: server_login_retry, 15 s by default.
const poolerRetry = "server login has been failing"

// firstQuestion is how soon after its login a client's first question comes that
// belongs to it: PgBouncer lets in whose password is right, and turns them away at
// that where it does not log in at the server itself.
const firstQuestion = 100 * time.Millisecond

// ServePgBouncer runs a real PgBouncer as its child, in front of a PostgreSQL
// server, in a folder of its own that is gone when it ends. It is reached at the one
// address of the stand-in, as a PostgreSQL server is (ServePostgres).
//
//	client ──► listener ──┬─ HTTP ──► healthz, status
//	                      └─ front ──► PgBouncer ──► back ──► database
//
// The front tells what became of each login, the back of those that the pooler makes
// itself: it has no password of its own, and logs in as whoever logged in last.
func ServePgBouncer(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.PgBouncer
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := standin.Require("name", c.Name, "admin_password", c.AdminPassword, "folder", c.Folder, "database", c.Database, "mode", c.Mode); err != nil {
		return err
	}
	at, err := url.Parse(c.Database)
	if err != nil || at.Host == "" || filepath.Base(c.Folder) != c.Folder || c.Pool < 1 || c.Life <= 0 {
		return fmt.Errorf("check configuration: want a database's URL, a folder's name, a pool and a life, got %q, %q, %d, %s", c.Database, c.Folder, c.Pool, time.Duration(c.Life))
	}
	logger, ready := history.NewLogger(log, c.Name), standin.WaitingFor("the pooler")
	p := &pooler{config: c, log: logger, logins: newLogins(c.Name, logger), users: map[string]*login{}, locked: map[string]int64{}}
	p.answers, p.entered = p.refused, p.came
	p.afterwards, p.retracts = firstQuestion, func(text string) bool { return strings.HasPrefix(text, poolerRetry) }
	if !c.AuthQuery {
		if err := standin.CheckPublished(c.Published); err != nil {
			return err
		}
		if p.source, err = standin.NewPublishedSecret(c.Published, logger, &p.read); err != nil {
			return err
		}
	}
	back, err := p.listenBehind(at.Host)
	if err != nil {
		return err
	}
	server, err := startPgBouncer(c, back.Addr(), logger)
	if err != nil {
		return errors.Join(err, back.close())
	}
	p.server = server
	mux := standin.NewMux(ready, p.counters)
	web := standin.NewSplit(listener, logger, 0, isPostgres, func(_ context.Context, conn *standin.Conn) {
		if err := p.relay(conn, server.address); err != nil {
			logger.Debug("a connection ended", "detail", err.Error())
		}
	})
	return errors.Join(standin.ServeHTTP(ctx, web, mux, logger, func(ctx context.Context) error {
		following, stop := context.WithCancel(ctx)
		defer stop()
		var wait sync.WaitGroup
		defer wait.Wait()
		defer stop()
		return server.attend(ctx, server.version, func(version string) {
			logger.Info(string(history.KindService), "detail", p.describe(version))
			if p.source == nil {
				ready.Set(nil)
				return
			}
			wait.Go(func() {
				err := p.source.Follow(following, func(ctx context.Context) error {
					err := p.load(ctx)
					ready.Set(err)
					return err
				})
				if err != nil {
					logger.Warn("read passwords", "detail", err.Error())
				}
			})
		})
	}), server.stop(), back.close())
}

// pooler is one PgBouncer, with who logged in to it and as whom it logs in.
type pooler struct {
	*logins
	config contract.PgBouncer
	log    *slog.Logger
	server *pgbouncerServer
	source *standin.PublishedSecret // nil: it asks the database
	read   standin.Readiness
	loaded int // the version; written by the one goroutine that loads
	held   []string

	mu     sync.Mutex
	users  map[string]*login // the last to log in as a user, whose keys the pooler uses
	locked map[string]int64  // by user: refused logins at the database since the last that was taken
	emit   string            // the tag of its auth_file
}

func (p *pooler) describe(version string) string {
	how := "asks the database for passwords (auth_query)"
	if p.source != nil {
		how = "has passwords in its auth_file; " + p.source.Describe()
	}
	return fmt.Sprintf("%s: %s pooling, %s", version, p.config.Mode, how)
}

// load writes the published passwords into the auth_file, and has it read.
func (p *pooler) load(ctx context.Context) error {
	var doc publishedLogins
	version, err := p.source.Read(ctx, &doc)
	if err != nil {
		return err
	}
	if version == p.loaded {
		p.log.Info(string(history.KindFetched), "identifiers", p.held, "holds", p.held, "from", "store")
		return nil
	}
	var tags []string
	users := map[string]string{}
	for _, entry := range doc.Keys {
		if _, taken := users[entry.User]; !taken || entry.Tag == doc.Emit { // one of a name only
			users[entry.User] = entry.Password
		}
		if entry.Tag == doc.Emit || entry.User != userOf(doc, doc.Emit) {
			tags = append(tags, entry.Tag)
		}
	}
	if err := p.server.reload(users); err != nil {
		return fmt.Errorf("have the pooler read its auth_file: %w", err)
	}
	p.mu.Lock()
	p.emit = doc.Emit
	p.mu.Unlock()
	p.loaded = version
	p.log.Info(string(history.KindFetched), "identifiers", tags, "holds", tags, "from", "store")
	p.log.Info(string(history.KindLoaded), "identifiers", tags, "identifier", doc.Emit)
	standin.TellChanged(p.log, p.held, tags)
	p.held = tags
	return nil
}

// userOf is the user of a tag of a document.
func userOf(doc publishedLogins, tag string) string {
	for _, entry := range doc.Keys {
		if entry.Tag == tag {
			return entry.User
		}
	}
	return ""
}

// came notes who logged in as a user: from then on the pooler logs in at the
// database with the keys of that login (PgBouncer 1.18, SCRAM), where it asks for
// passwords and so has none itself.
func (p *pooler) came(l *login) {
	if l.own {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[l.user] = l
}

// refused takes an error with which the pooler ended a login.
func (p *pooler) refused(l *login, code, text string) {
	for _, known := range poolerRefusals {
		if strings.HasPrefix(text, known) {
			p.refuse(l, code, text)
			return
		}
	}
	p.undecided(l, code, text)
}

// behind takes what the database answered to a login of the pooler's own.
func (p *pooler) behind(user, code, text string) {
	if user == contract.DatabaseAdmin {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if code == stateOK {
		if p.locked[user] > 0 {
			delete(p.locked, user)
			p.log.Info(string(history.KindUnlocked))
		}
		return
	}
	if !strings.HasPrefix(code, "28") {
		return
	}
	p.locked[user]++
	who, tag := p.config.Name, p.emit
	if last := p.users[user]; p.source == nil && last != nil {
		who, tag = last.presenter, last.identifier
	}
	p.log.Info(string(history.KindLocked), "identifier", tag, "presenter", who, "user", user, "what", contract.LoginRetry, "count", p.locked[user],
		"status", code, "detail", text)
}
