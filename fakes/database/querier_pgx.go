package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

const (
	// poolCheck is how often the pool replaces connections whose life is over:
	// wall time, pgxpool's own default being a minute.
	poolCheck = 100 * time.Millisecond
	// lifeJitter is the share of a connection's life by which it varies, so that
	// they are not all made anew at the same moment.
	lifeJitter = 0.2
)

// errNoLogin is the end of an attempt before there is anything to log in with.
var errNoLogin = errors.New("no login to connect with yet")

// visitsQuery is what a querier asks a database: a table of the owner, whose
// rights its login has by SET ROLE. It takes its time, so that a low rate keeps
// several connections in use.
const visitsQuery = "SELECT visits FROM rehearsal, pg_sleep(0.15)"

// postgresPool is a pool of jackc/pgx, with those that it has taken the place of:
//
//	BeforeConnect ──► one pool: a connection is made anew, with the login of that
//	                  moment, when the life of one is over
//	swap          ──► a new pool is filled, then it is asked; the one before makes
//	                  no connection any more, and those that it has live out their life
//
// So does an application that builds a pool from a DSN, at each new DSN.
type postgresPool struct {
	config *pgxpool.Config

	mu      sync.RWMutex
	pool    *pgxpool.Pool // that is asked
	retired []*pgxpool.Pool
	closed  bool
}

// pgxDriver knows SQLSTATEs of PostgreSQL (Appendix A) and of PgBouncer, whose every
// refusal is 08P01.
var pgxDriver = driver{open: newPostgresPool, outcomes: map[string]history.Outcome{
	stateOK: history.OK, "28P01": history.AuthFailure, "28000": history.AuthFailure, "08P01": history.AuthFailure,
}}

func newPostgresPool(c contract.Querier, from dialler) (pool, error) {
	at, err := url.Parse(c.Database)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("check configuration: database is %q, want a URL", c.Database)
	}
	// One address and no encryption: an attempt is one connection, at both ends.
	config, err := pgxpool.ParseConfig("postgres://" + at.Host + "/" + contract.PostgresDatabase + "?sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("configure a pool: %w", err)
	}
	life := time.Duration(c.Life)
	config.MaxConns = int32(c.Pool) // the querier fills it itself, see fill
	config.MaxConnLifetimeJitter = time.Duration(lifeJitter * float64(life))
	config.MaxConnLifetime = life - config.MaxConnLifetimeJitter
	config.HealthCheckPeriod = poolCheck
	config.ConnConfig.ConnectTimeout = queryDeadline
	config.ConnConfig.Tracer = connectTracer{from}
	if !c.Prepares {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	config.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
		login, ok := from.login()
		if !ok {
			return errNoLogin
		}
		cc.User, cc.Password = login.User, login.Password
		// The server names the role; of one role with a changed password only this
		// one knows which it presents.
		cc.RuntimeParams["application_name"] = c.Name + "/" + login.Tag
		return nil
	}
	p := &postgresPool{config: config}
	if p.pool, err = p.another(); err != nil {
		return nil, err
	}
	return p, nil
}

// another makes a pool that has no connection yet.
func (p *postgresPool) another() (*pgxpool.Pool, error) {
	pool, err := pgxpool.NewWithConfig(context.Background(), p.config.Copy())
	if err != nil {
		return nil, fmt.Errorf("make a pool: %w", err)
	}
	return pool, nil
}

func (p *postgresPool) asked() *pgxpool.Pool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.pool
}

func (p *postgresPool) query(ctx context.Context) error {
	var visits int64
	return p.asked().QueryRow(ctx, visitsQuery).Scan(&visits)
}

func (p *postgresPool) fill(ctx context.Context) { fillPool(ctx, p.asked()) }

// fillPool takes all connections, and gives them back; where one cannot be had,
// that was told of. Those that pgxpool makes itself to have a least number are
// called off together when one fails, and nobody can tell what became of them.
func fillPool(ctx context.Context, pool *pgxpool.Pool) {
	ctx, cancel := context.WithTimeout(ctx, queryDeadline)
	defer cancel()
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return
		}
		defer conn.Release()
	}
}

func (p *postgresPool) swap(ctx context.Context) error {
	fresh, err := p.another()
	if err != nil {
		return err
	}
	fillPool(ctx, fresh)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		fresh.Close()
		return nil
	}
	p.retired = append(p.retired, p.pool)
	p.pool = fresh
	return nil
}

func (p *postgresPool) renew(context.Context) { p.asked().Reset() }

func (p *postgresPool) close() {
	p.mu.Lock()
	all := append(p.retired, p.pool)
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return
	}
	for _, pool := range all {
		pool.Close()
	}
}

// connectTracer tells of attempts to connect, as pgx makes them: those of a
// request that waits, and those that the pool makes by itself.
type connectTracer struct{ to dialler }

var (
	_ pgx.QueryTracer   = connectTracer{} // the type of the field that it is set in
	_ pgx.ConnectTracer = connectTracer{}
)

// TraceQueryStart is not used.
func (connectTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd is not used.
func (connectTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

type attemptKey struct{}

type attempt struct {
	tag   string
	began time.Time
}

// TraceConnectStart remembers who connects.
func (t connectTracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	t.to.dialling()
	l := newLogin("", data.ConnConfig.RuntimeParams["application_name"])
	return context.WithValue(ctx, attemptKey{}, attempt{l.identifier, l.began})
}

// TraceConnectEnd tells what became of it.
func (t connectTracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	a, _ := ctx.Value(attemptKey{}).(attempt)
	status, detail := stateOK, ""
	if data.Err != nil {
		status, detail = history.StatusUnavailable, "no answer"
		if answered, ok := errors.AsType[*pgconn.PgError](data.Err); ok {
			status, detail = answered.Code, answered.Message
		}
	}
	t.to.dialled(a.tag, status, detail, time.Since(a.began))
}
