package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// queryDeadline bounds one query, with the wait for a connection.
const queryDeadline = 5 * time.Second

// databaseLogin is a user with a password, as it is published.
type databaseLogin struct {
	Tag      string `json:"tag"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// publishedLogins is the document that a querier reads: it logs in as Emit says.
type publishedLogins struct {
	Emit string          `json:"emit"`
	Keys []databaseLogin `json:"keys"`
}

// pool is a pool of connections of a real driver. It tells its source of every
// connection that it tries to make.
type pool interface {
	// query asks the database something that it has rights to.
	query(ctx context.Context) error
	// fill makes all its connections, as an application does at its start.
	fill(ctx context.Context)
	// renew has every connection made anew, at its next use.
	renew(ctx context.Context)
	// swap makes another pool, as one whose login is fixed when it is made needs
	// it; what was there is used no more, and stays until its life is over.
	swap(ctx context.Context) error
	// close ends all connections.
	close()
}

// driver is how a database is spoken to from a pool.
type driver struct {
	open func(c contract.Querier, from dialler) (pool, error)
	// outcomes are what statuses of the database say of a credential; others say nothing.
	outcomes map[string]history.Outcome
}

// drivers are those that there are, by what the database speaks: a new one is a file
// and its line here.
var drivers = map[string]driver{"mariadb": mysqlDriver, "postgresql": pgxDriver, "redis": redisDriver}

// dialler is what a pool is told and tells, for each connection.
type dialler interface {
	// login is the one to connect with now; false where there is none yet.
	login() (databaseLogin, bool)
	// dialled tells what became of an attempt: a status of the database, or
	// history.StatusUnavailable with the reason.
	dialled(tag, status, detail string, took time.Duration)
	// dialling tells that an attempt begins.
	dialling()
}

type querier struct {
	config   contract.Querier
	source   *standin.PublishedSecret
	log      *slog.Logger
	pool     pool
	outcomes map[string]history.Outcome
	version  int // written by the one goroutine that loads
	current  atomic.Pointer[databaseLogin]

	served, began, presented atomic.Int64
}

// ServeQuerier runs a consumer of a database: every GET or POST / makes one
// query over a pool of connections, and answers 200 if it succeeded, else 502.
// The login for a new connection is what was read last; connections that are
// there stay as they are, for as long as the pool keeps them.
func ServeQuerier(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Querier
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := errors.Join(standin.Require("name", c.Name, "database", c.Database), standin.CheckPublished(c.Published)); err != nil {
		return err
	}
	driver, known := drivers[c.Type]
	if !known || c.Life <= 0 || c.Pool < 1 {
		return fmt.Errorf("check configuration: type %q with life %s and a pool of %d, want a known type, a life and at least 1 connection",
			c.Type, time.Duration(c.Life), c.Pool)
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	q := &querier{config: c, source: source, log: logger, outcomes: driver.outcomes}
	if q.pool, err = driver.open(c, q); err != nil {
		return err
	}
	defer q.pool.close()
	logger.Info(string(history.KindService), "detail",
		fmt.Sprintf("querier: keeps %d connections for %s%s; %s", c.Pool, time.Duration(c.Life), renewal(c), source.Describe()))
	if err := source.Start(ctx, q.load); err != nil {
		return err
	}
	mux := standin.NewMux(ready, q.counters, q.pool.close)
	mux.HandleFunc("GET /{$}", q.serve)
	mux.HandleFunc("POST /{$}", q.serve)
	mux.HandleFunc("POST /rehearse/renew", func(w http.ResponseWriter, r *http.Request) {
		q.pool.renew(r.Context())
		w.WriteHeader(http.StatusNoContent)
	})
	source.Disturbable(mux, nil)
	return standin.ServeHTTP(ctx, listener, source.Handler(mux), logger, func(ctx context.Context) error {
		return source.Follow(ctx, q.load)
	})
}

// renewal says in words what it does at a new login.
func renewal(c contract.Querier) string {
	if c.SwapsPool {
		return ", and makes a new pool for a new login"
	}
	return ""
}

func (q *querier) counters() map[string]int64 {
	return map[string]int64{"served": q.served.Load(), "began": q.began.Load(), "presented": q.presented.Load()}
}

// load reads the published login once. What is logged as emitting is in effect
// already, for connections that begin from then on.
func (q *querier) load(ctx context.Context) error {
	var doc publishedLogins
	version, err := q.source.Read(ctx, &doc)
	if err != nil {
		return err
	}
	if version == q.version {
		return nil
	}
	tags := make([]string, 0, len(doc.Keys))
	for _, entry := range doc.Keys {
		tags = append(tags, entry.Tag)
	}
	i := slices.Index(tags, doc.Emit)
	if i < 0 || doc.Keys[i].User == "" || doc.Keys[i].Password == "" {
		return fmt.Errorf("load logins: emit names %q: want a user with that tag and a password among %q", doc.Emit, tags)
	}
	old := q.current.Swap(&doc.Keys[i])
	q.version = version
	q.log.Info(string(history.KindLoaded), "identifiers", tags, "identifier", doc.Emit)
	if old != nil && old.Tag == doc.Emit {
		return nil
	}
	q.log.Info(string(history.KindEmitting), "identifier", doc.Emit)
	switch {
	case old == nil:
		q.pool.fill(ctx)
	case q.config.SwapsPool:
		return q.pool.swap(ctx)
	}
	return nil
}

func (q *querier) login() (databaseLogin, bool) {
	l := q.current.Load()
	if l == nil {
		return databaseLogin{}, false
	}
	return *l, true
}

func (q *querier) dialling() { q.began.Add(1) }

func (q *querier) dialled(tag, status, detail string, took time.Duration) {
	q.presented.Add(1)
	attributes := []any{
		"identifier", tag, "presenter", q.config.Name, "attempt", 1, "status", status, "latency_us", took.Microseconds(),
	}
	if outcome, decides := q.outcomes[status]; decides {
		attributes = append(attributes, "outcome", outcome)
	}
	if detail != "" {
		attributes = append(attributes, "detail", detail)
	}
	q.log.Info(history.MessagePresented, attributes...)
}

func (q *querier) serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), queryDeadline)
	defer cancel()
	err := q.pool.query(ctx)
	q.served.Add(1)
	if err != nil {
		standin.WriteError(w, http.StatusBadGateway, "the database: "+err.Error())
		return
	}
	standin.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
