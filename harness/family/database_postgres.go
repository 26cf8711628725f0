package family

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// sessionsEnd bounds the wait until sessions that were ended are gone.
const sessionsEnd = 5 * time.Second

// postgres is one PostgreSQL server. It has one password per role, so that an
// overlap needs a second role: each logs in and becomes the owner by SET ROLE.
type postgres struct {
	url           func() string
	password      string // of the administration
	kind          databaseKind
	keepsSessions bool // a revoke leaves sessions alone
	pooled        bool // it is a pooler in front of one
	lookup        func(ctx context.Context, name string) (credential, error)
}

// refuses reports whether an answer is the refusal of a credential: 28P01
// (invalid_password), 28000 (a role without LOGIN), and of a PgBouncer 08P01, which is
// its every refusal (1.18), unless it has no database to hand a client on to.
func (p *postgres) refuses(answered *pgconn.PgError) bool {
	if p.pooled && answered.Code == "08P01" {
		return !strings.Contains(answered.Message, "connect") && !strings.Contains(answered.Message, "timeout")
	}
	return answered.Code == "28P01" || answered.Code == "28000"
}

var _ database = (*postgres)(nil)

func bindPostgres(b Backend, d *databaseBound, s plan.Service, password string) database {
	p := &postgres{
		url: func() string { return d.url(s.Name) }, password: password,
		kind: d.kind, lookup: d.steps.credential, keepsSessions: s.KeepsSessions,
	}
	if s.RotatedBy != scenario.RotatedByVault {
		return p
	}
	roles, _ := b.Store.(world.StaticRoles)
	return &vaultRole{
		postgres: p, roles: roles, name: s.Name, inside: func() string { return b.URL(s.Name, true) }, replace: d.steps.replace,
	}
}

// connect logs in, with one address and no encryption: one attempt is one
// connection.
func (p *postgres) connect(ctx context.Context, user, password, application string) (*pgx.Conn, error) {
	at, err := url.Parse(p.url())
	if err != nil || at.Host == "" {
		return nil, errors.New("it was not started")
	}
	config, err := pgx.ParseConfig("postgres://" + at.Host + "/" + contract.PostgresDatabase + "?sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("configure a connection: %w", err)
	}
	config.User, config.Password, config.RuntimeParams["application_name"] = user, password, application
	return pgx.ConnectConfig(ctx, config)
}

// asAdmin runs f on a connection of the administration.
func (p *postgres) asAdmin(ctx context.Context, f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	conn, err := p.connect(ctx, contract.DatabaseAdmin, p.password, contract.DatabaseAdmin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return f(ctx, conn)
}

func (p *postgres) do(ctx context.Context, step keyring.Step, c credential) error {
	return p.asAdmin(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		role := postgresRole{conn: conn, name: p.kind.user(c.identifier), owner: p.kind.page + "_owner", tag: c.identifier}
		if p.kind.single {
			return p.change(ctx, role, step)
		}
		switch step {
		case keyring.Accept:
			return role.accept(ctx, c)
		case keyring.Restore:
			return role.alter(ctx, "LOGIN")
		case keyring.Revoke, keyring.Withdraw:
			return role.revoke(ctx, p.keepsSessions)
		case keyring.Destroy:
			return role.drop(ctx)
		}
		return nil // who logs in with which role is not the database's business
	})
}

// change takes a step with the one role that there is. Its password is that of
// the last credential that was accepted or given to emitters; sessions that
// were made with another cannot be told from its own.
func (p *postgres) change(ctx context.Context, role postgresRole, step keyring.Step) error {
	switch step {
	case keyring.Accept, keyring.Restore, keyring.Emit:
		c, err := p.lookup(ctx, role.tag)
		if err != nil {
			return err
		}
		return role.accept(ctx, c)
	case keyring.Revoke, keyring.Withdraw:
		now, err := role.described(ctx)
		if err != nil || now != role.tag {
			return err
		}
		return role.alter(ctx, "NOLOGIN")
	}
	return nil
}

// putBack gives the one role the password of a credential; where each has a role of
// its own, nobody else sets that of another.
func (p *postgres) putBack(ctx context.Context, c credential) error {
	if !p.kind.single {
		return errors.ErrUnsupported
	}
	return p.do(ctx, keyring.Accept, c)
}

func (p *postgres) enabled(ctx context.Context) (tags []string, err error) {
	err = p.asAdmin(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT shobj_description(oid, 'pg_authid') FROM pg_roles
			WHERE rolcanlogin AND starts_with(rolname, $1) AND shobj_description(oid, 'pg_authid') IS NOT NULL`, p.kind.page+"_")
		if err != nil {
			return err
		}
		tags, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return tags, err
}

// sessions counts those of the role of a credential by application name, as
// pg_stat_activity has them. With one role nothing tells with which of its
// passwords one was made.
func (p *postgres) sessions(ctx context.Context, c credential) (held map[string]int64, err error) {
	held = map[string]int64{}
	if p.kind.single {
		return held, nil
	}
	err = p.asAdmin(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT split_part(application_name, '/', 1), count(*) FROM pg_stat_activity
			WHERE usename = $1 AND NOT starts_with(application_name, $2) GROUP BY 1`, p.kind.user(c.identifier), contract.DatabaseAdmin)
		if err != nil {
			return err
		}
		var who string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&who, &n}, func() error {
			held[who] = n
			return nil
		})
		return err
	})
	return held, err
}

func (p *postgres) login(ctx context.Context, c credential, application string) (databaseSession, loginResult, error) {
	user, _ := c.entry["user"].(string)
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := p.connect(ctx, user, c.values[0], application+"/"+c.identifier)
	if err == nil && p.pooled { // which lets somebody in, and may turn them away at the first question
		if _, err = conn.Exec(ctx, "SELECT 1", pgx.QueryExecModeSimpleProtocol); err != nil {
			_ = conn.Close(ctx) // which the pooler has done
		}
	}
	if err == nil {
		return postgresSession{conn}, loginResult{history.OK, "00000"}, nil
	}
	answered, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok && errors.Is(ctx.Err(), context.Canceled):
		return nil, loginResult{}, ctx.Err()
	case !ok:
		return nil, loginResult{history.Unavailable, unanswered(err)}, nil
	case p.refuses(answered): // invalid_password; a role without LOGIN
		return nil, loginResult{history.AuthFailure, answered.Code}, nil
	}
	return nil, loginResult{history.Unavailable, answered.Code}, nil
}

// postgresSession is a session of a probe.
type postgresSession struct{ conn *pgx.Conn }

func (s postgresSession) works(ctx context.Context) bool {
	_, err := s.conn.Exec(ctx, "SELECT 1")
	return err == nil
}

func (s postgresSession) close(ctx context.Context) { _ = s.conn.Close(ctx) }
