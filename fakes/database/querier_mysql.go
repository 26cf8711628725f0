package database

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

var mysqlDriver = driver{open: newMySQLPool, outcomes: map[string]history.Outcome{
	mariaDBTaken: history.OK, mariaDBDenied: history.AuthFailure, mariaDBNoAccess: history.AuthFailure, mariaDBLocked: history.AuthFailure,
}}

// sleepyVisits is what a querier asks a MariaDB server, which takes its time as
// visitsQuery does. SLEEP is 1 where its session is ended meanwhile.
const sleepyVisits = "SELECT visits, SLEEP(0.15) FROM visits"

// mysqlPool is a pool of database/sql with the driver of go-sql-driver/mysql, and
// those that it has taken the place of, as postgresPool is.
type mysqlPool struct {
	connector mysqlConnector
	size      int
	life      time.Duration

	mu      sync.RWMutex // held for reading while a pool is asked
	db      *sql.DB      // that is asked
	retired []*sql.DB
	closed  bool
}

func newMySQLPool(c contract.Querier, from dialler) (pool, error) {
	at, err := url.Parse(c.Database)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("check configuration: database is %q, want a URL", c.Database)
	}
	p := &mysqlPool{connector: mysqlConnector{address: at.Host, name: c.Name, from: from}, size: c.Pool, life: time.Duration(c.Life)}
	p.db = p.another()
	return p, nil
}

// openMySQL is a pool at database/sql's defaults.
func openMySQL(config *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure connections: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// another makes a pool that has no connection yet.
func (p *mysqlPool) another() *sql.DB {
	db := sql.OpenDB(p.connector)
	db.SetMaxOpenConns(p.size)
	db.SetMaxIdleConns(p.size)
	db.SetConnMaxLifetime(p.life)
	return db
}

func (p *mysqlPool) query(ctx context.Context) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var visits, interrupted int64
	err := p.db.QueryRowContext(ctx, sleepyVisits).Scan(&visits, &interrupted)
	if err == nil && interrupted != 0 {
		return errors.New("the query was interrupted")
	}
	return err
}

func (p *mysqlPool) fill(ctx context.Context) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	p.fillUp(ctx, p.db)
}

// fillUp takes all connections, and gives them back; where one cannot be had, that
// was told of.
func (p *mysqlPool) fillUp(ctx context.Context, db *sql.DB) {
	ctx, cancel := context.WithTimeout(ctx, queryDeadline)
	defer cancel()
	for range p.size {
		conn, err := db.Conn(ctx)
		if err != nil {
			return
		}
		defer conn.Close() // back to the pool
	}
}

// renew changes to a new pool, when the last query of the one before is done.
func (p *mysqlPool) renew(context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.db.Close() // connections that are closed anyhow
	p.db = p.another()
}

func (p *mysqlPool) swap(ctx context.Context) error {
	fresh := p.another()
	p.fillUp(ctx, fresh)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fresh.Close()
	}
	p.retired = append(p.retired, p.db)
	p.db = fresh
	return nil
}

func (p *mysqlPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, db := range append(p.retired, p.db) {
		_ = db.Close() // again, perhaps
	}
}

// mysqlConnector makes each connection with the login of its moment, as an
// application does that gives database/sql a connector of its own, and tells of it.
type mysqlConnector struct {
	address, name string
	from          dialler
}

var _ sqldriver.Connector = mysqlConnector{}

// Driver is go-sql-driver's.
func (mysqlConnector) Driver() sqldriver.Driver { return mysql.MySQLDriver{} }

// Connect makes a connection.
func (c mysqlConnector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	login, there := c.from.login()
	if !there {
		return nil, errNoLogin
	}
	config := mysqlConfig(c.address, c.name+"/"+login.Tag)
	config.User, config.Passwd = login.User, login.Password
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure a connection: %w", err)
	}
	c.from.dialling()
	began := time.Now()
	conn, err := connector.Connect(ctx)
	status, detail := mariaDBTaken, ""
	if err != nil {
		status, detail = history.StatusUnavailable, "no answer"
		if answered, ok := errors.AsType[*mysql.MySQLError](err); ok {
			status, detail = strconv.Itoa(int(answered.Number)), answered.Message
		}
	}
	c.from.dialled(login.Tag, status, detail, time.Since(began))
	return conn, err
}
