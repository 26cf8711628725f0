package family

import (
	"context"
	"crypto/sha1"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// mariaDB is one MariaDB server. A user may be let in by either of several
// passwords, so that an overlap needs no second user; where a plan wants it, each
// credential has a user of its own all the same.
//
//	accept ──► ALTER USER u IDENTIFIED VIA … USING old OR … USING new     both log in
//	revoke ──► ALTER USER u IDENTIFIED VIA … USING new                    and KILL its sessions
//
// A session outlives its password, and its user too. By which password it was let in
// the server does not know; its stand-in sees that, and adds it to what the harness knows
// (contract.MariaDBPasswords).
type mariaDB struct {
	url           func() string
	password      string // of the administration
	kind          databaseKind
	keepsSessions bool // a revoke leaves sessions alone
	lookup        func(ctx context.Context, name string) (credential, error)
}

var _ database = (*mariaDB)(nil)

func bindMariaDB(_ Backend, d *databaseBound, s plan.Service, password string) database {
	return &mariaDB{
		url: func() string { return d.url(s.Name) }, password: password,
		kind: d.kind, lookup: d.steps.credential, keepsSessions: s.KeepsSessions,
	}
}

// connector makes connections that ask once, as a client of some name.
func (m *mariaDB) connector(user, password, application string) (driver.Connector, error) {
	at, err := url.Parse(m.url())
	if err != nil || at.Host == "" {
		return nil, errors.New("it was not started")
	}
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = user, password, "tcp", at.Host, contract.MariaDBDatabase
	config.ConnectionAttributes = contract.MariaDBApplication + ":" + application
	config.Timeout, config.Logger, config.InterpolateParams = probeTimeout, &mysql.NopLogger{}, true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure a connection: %w", err)
	}
	return connector, nil
}

// asAdmin runs f on connections of the administration.
func (m *mariaDB) asAdmin(ctx context.Context, f func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	connector, err := m.connector(contract.DatabaseAdmin, m.password, contract.DatabaseAdmin)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return errors.Join(f(ctx, db), db.Close())
}

// mariaDBHash is what a server keeps of a credential's password (mysql_native_password).
func mariaDBHash(c credential) string {
	once := sha1.Sum([]byte(c.values[0]))
	return fmt.Sprintf("*%X", sha1.Sum(once[:]))
}

// mariaDBUser is a user as it is at the server.
type mariaDBUser struct {
	name   string
	hashes []string // of its passwords
	locked bool
}

// users are those of the page whose names begin so.
func (m *mariaDB) users(ctx context.Context, db *sql.DB, prefix string) (users []mariaDBUser, err error) {
	rows, err := db.QueryContext(ctx, "SELECT User, Priv FROM mysql.global_priv WHERE LEFT(User, CHAR_LENGTH(?)) = ?", prefix, prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		user, text := mariaDBUser{}, ""
		if err := rows.Scan(&user.name, &text); err != nil {
			return nil, err
		}
		type method struct {
			Hash string `json:"authentication_string"`
		}
		var told struct {
			method
			Or     []method `json:"auth_or"` // the one above among them, as an empty one
			Locked bool     `json:"account_locked"`
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			return nil, fmt.Errorf("read the user %s: %w", user.name, err)
		}
		user.locked = told.Locked
		for _, by := range append(told.Or, told.method) {
			if by.Hash != "" {
				user.hashes = append(user.hashes, by.Hash)
			}
		}
		users = append(users, user)
	}
	return users, rows.Err()
}

// user is the one of a name; one without passwords where there is none.
func (m *mariaDB) user(ctx context.Context, db *sql.DB, name string) (mariaDBUser, error) {
	users, err := m.users(ctx, db, name)
	for _, u := range users {
		if u.name == name {
			return u, err
		}
	}
	return mariaDBUser{name: name}, err
}

// mariaDBName is a user's name as SQL has it.
func mariaDBName(user string) string { return "`" + strings.ReplaceAll(user, "`", "``") + "`" }

// run runs statements one after the other.
func (m *mariaDB) run(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// set has a user let in by these passwords and no others. What is sent is what the
// server keeps of them.
func (m *mariaDB) set(ctx context.Context, db *sql.DB, user string, hashes ...string) error {
	var by []string
	for _, hash := range hashes {
		by = append(by, "mysql_native_password USING '"+hash+"'")
	}
	name, identified := mariaDBName(user), " IDENTIFIED VIA "+strings.Join(by, " OR ")
	return m.run(ctx, db,
		"CREATE USER IF NOT EXISTS "+name+identified,
		"GRANT SELECT ON "+contract.MariaDBDatabase+".* TO "+name,
		"ALTER USER "+name+identified,
		"ALTER USER "+name+" ACCOUNT UNLOCK")
}

func (m *mariaDB) do(ctx context.Context, step keyring.Step, c credential) error {
	several := !m.kind.single && m.kind.tagged
	if step == keyring.Emit && !m.kind.single || step == keyring.Destroy && (m.kind.single || several) {
		return nil // who logs in with which is not the server's business, and a password that is revoked it has forgotten
	}
	name := m.kind.user(c.identifier)
	if step == keyring.Destroy { // its value may be gone already
		return m.asAdmin(ctx, func(ctx context.Context, db *sql.DB) error {
			return m.run(ctx, db, "DROP USER IF EXISTS "+mariaDBName(name))
		})
	}
	c, err := m.lookup(ctx, c.identifier)
	if err != nil {
		return err
	}
	hash := mariaDBHash(c)
	return m.asAdmin(ctx, func(ctx context.Context, db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "REPLACE INTO "+contract.MariaDBPasswords+" VALUES (?, ?)", hash, c.identifier); err != nil {
			return fmt.Errorf("write down whose password it is: %w", err)
		}
		is, err := m.user(ctx, db, name)
		if err != nil {
			return err
		}
		has := slices.Contains(is.hashes, hash)
		switch step {
		case keyring.Accept, keyring.Restore, keyring.Emit:
			hashes := []string{hash}
			if several && !is.locked {
				hashes = append(slices.DeleteFunc(is.hashes, func(other string) bool { return other == hash }), hash)
			}
			return m.set(ctx, db, name, hashes...)
		case keyring.Revoke, keyring.Withdraw:
			if has && len(is.hashes) > 1 {
				err = m.set(ctx, db, name, slices.DeleteFunc(is.hashes, func(other string) bool { return other == hash })...)
			} else if has { // no user can be without a password
				err = m.run(ctx, db, "ALTER USER "+mariaDBName(name)+" ACCOUNT LOCK")
			}
			if err == nil && !m.keepsSessions {
				err = m.endSessions(ctx, db, c.identifier)
			}
			return err
		}
		return nil
	})
}

// mariaDBSession is one of a user: its number, who it says it is, and with which
// credential it was let in; "" where it was with none of the run's.
type mariaDBSession struct {
	id       int64
	who, tag string
}

// sessionsOf are the sessions of the user of a credential that may have been let in
// with it: those of a user of its own are, and of one that has several passwords
// those of which it is not known that it was with another.
func (m *mariaDB) sessionsOf(ctx context.Context, db *sql.DB, tag string) (sessions []mariaDBSession, err error) {
	rows, err := db.QueryContext(ctx, "SELECT p.ID, COALESCE(s.who, ''), COALESCE(s.tag, '') FROM information_schema.PROCESSLIST p LEFT JOIN "+
		contract.MariaDBSessions+" s ON s.id = p.ID WHERE p.USER = ?", m.kind.user(tag))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s mariaDBSession
		if err := rows.Scan(&s.id, &s.who, &s.tag); err != nil {
			return nil, err
		}
		if !m.kind.single && !m.kind.tagged || s.tag == tag || s.tag == "" {
			sessions = append(sessions, s)
		}
	}
	return sessions, rows.Err()
}

// namedWithin is how soon after the server has let somebody in it is written down with which
// password that was.
const namedWithin = 500 * time.Millisecond

// toEnd are those of some sessions that were let in with the credential that ends. One of
// which that is not known may have been let in just now with another: it is among them once it
// has stayed so. seen are the others, with when each was first met.
func toEnd(left []mariaDBSession, seen map[int64]time.Time, now time.Time) (end []mariaDBSession) {
	for _, s := range left {
		since, met := seen[s.id]
		if !met {
			since = now
			seen[s.id] = now
		}
		if s.tag != "" || now.Sub(since) >= namedWithin {
			end = append(end, s)
		}
	}
	return end
}

// endSessions ends those of a credential, and returns when they are gone.
func (m *mariaDB) endSessions(ctx context.Context, db *sql.DB, tag string) error {
	ctx, cancel := context.WithTimeout(ctx, sessionsEnd)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	seen := map[int64]time.Time{}
	for {
		left, err := m.sessionsOf(ctx, db, tag)
		if err != nil {
			return fmt.Errorf("end sessions with %s: %w", tag, err)
		}
		ends := left
		if m.kind.single || m.kind.tagged { // its user has other passwords
			ends = toEnd(left, seen, time.Now())
		}
		for _, s := range ends {
			_, err := db.ExecContext(ctx, "KILL "+strconv.FormatInt(s.id, 10))
			if answered, ok := errors.AsType[*mysql.MySQLError](err); err != nil && !(ok && answered.Number == mariaDBNoSession) {
				return fmt.Errorf("end sessions with %s: %w", tag, err)
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("end sessions with %s: %d are there still: %w", tag, len(left), ctx.Err())
		case <-tick.C:
		}
	}
}

// sessions counts those with a credential by who they say they are, but for those
// of which it is not known with which password they were let in.
func (m *mariaDB) sessions(ctx context.Context, c credential) (held map[string]int64, err error) {
	held = map[string]int64{}
	err = m.asAdmin(ctx, func(ctx context.Context, db *sql.DB) error {
		sessions, err := m.sessionsOf(ctx, db, c.identifier)
		for _, s := range sessions {
			if s.who != contract.DatabaseAdmin && (s.tag == c.identifier || !m.kind.single && !m.kind.tagged) {
				held[s.who]++
			}
		}
		return err
	})
	return held, err
}

// putBack leaves the user one password.
func (m *mariaDB) putBack(ctx context.Context, c credential) error {
	return m.asAdmin(ctx, func(ctx context.Context, db *sql.DB) error {
		return m.set(ctx, db, m.kind.user(c.identifier), mariaDBHash(c))
	})
}

func (m *mariaDB) enabled(ctx context.Context) (tags []string, err error) {
	err = m.asAdmin(ctx, func(ctx context.Context, db *sql.DB) error {
		users, err := m.users(ctx, db, m.kind.page+"_")
		if err != nil {
			return err
		}
		for _, user := range users {
			for _, hash := range user.hashes {
				tag := "one that is not the run's"
				err := db.QueryRowContext(ctx, "SELECT tag FROM "+contract.MariaDBPasswords+" WHERE hash = ?", hash).Scan(&tag)
				if err != nil && !errors.Is(err, sql.ErrNoRows) {
					return err
				}
				if !user.locked {
					tags = append(tags, tag)
				}
			}
		}
		return nil
	})
	return tags, err
}

// Numbers of errors (MariaDB, Error Codes).
const (
	mariaDBNoSession = 1094 // ER_NO_SUCH_THREAD
	mariaDBDenied    = 1045 // ER_ACCESS_DENIED_ERROR: of a wrong password
	mariaDBNoAccess  = 1698 // ER_ACCESS_DENIED_NO_PASSWORD_ERROR: of an unknown user, too
	mariaDBLocked    = 4151 // ER_ACCOUNT_HAS_BEEN_LOCKED
)

func (m *mariaDB) login(ctx context.Context, c credential, application string) (databaseSession, loginResult, error) {
	user, _ := c.entry["user"].(string)
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	connector, err := m.connector(user, c.values[0], application+"/"+c.identifier)
	if err != nil {
		return nil, loginResult{}, err
	}
	conn, err := connector.Connect(bounded)
	if err == nil {
		return mariaDBProbeSession{conn}, loginResult{history.OK, "OK"}, nil
	}
	answered, ok := errors.AsType[*mysql.MySQLError](err)
	switch {
	case !ok && ctx.Err() != nil:
		return nil, loginResult{}, ctx.Err()
	case !ok:
		return nil, loginResult{history.Unavailable, unanswered(err)}, nil
	}
	outcome := history.Unavailable
	if slices.Contains([]uint16{mariaDBDenied, mariaDBNoAccess, mariaDBLocked}, answered.Number) {
		outcome = history.AuthFailure
	}
	return nil, loginResult{outcome, strconv.Itoa(int(answered.Number))}, nil
}

// mariaDBProbeSession is a session that a probe has opened.
type mariaDBProbeSession struct{ conn driver.Conn }

func (s mariaDBProbeSession) works(ctx context.Context) bool {
	return s.conn.(driver.Pinger).Ping(ctx) == nil
}

func (s mariaDBProbeSession) close(context.Context) { _ = s.conn.Close() }
