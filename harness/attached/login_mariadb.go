package attached

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
)

// mariaDBServer is MariaDB, or another that speaks as MySQL does; a status is the
// number of an error.
type mariaDBServer struct {
	own func(session string) // is told the sessions of the harness
}

// mariaDBConfig is that of an address, mysql://USER:PASSWORD@HOST:PORT/NAME, or of a socket of
// this machine, mysql://USER:PASSWORD@/NAME?socket=PATH.
func mariaDBConfig(dsn string) (*mysql.Config, error) {
	at, err := url.Parse(dsn)
	if err != nil || at.User == nil {
		return nil, errDSN
	}
	socket := at.Query().Get("socket")
	if at.Host == "" && socket == "" {
		return nil, errDSN
	}
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = at.User.Username(), "tcp", at.Host, strings.Trim(at.Path, "/")
	config.Passwd, _ = at.User.Password()
	switch {
	case socket != "":
		config.Net, config.Addr = "unix", socket
	case at.Port() == "":
		config.Addr += ":3306"
	}
	config.ConnectionAttributes = contract.MariaDBApplication + ":" + family.ProbeAgent
	config.Timeout, config.Logger = loginTimeout, &mysql.NopLogger{}
	return config, nil
}

func (mariaDBServer) user(dsn string) (string, error) {
	config, err := mariaDBConfig(dsn)
	if err != nil {
		return "", err
	}
	return config.User, nil
}

func (s mariaDBServer) open(ctx context.Context, dsn string) (connection, string, error) {
	config, err := mariaDBConfig(dsn)
	if err != nil {
		return nil, "", err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, "", errDSN
	}
	pool := sql.OpenDB(connector)
	in := mariaDBConnection{pool: pool}
	if in.conn, err = pool.Conn(ctx); err == nil {
		var session int64
		if err = in.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&session); err == nil {
			s.own(sessionAt(dsn, strconv.FormatInt(session, 10)))
			return in, "", nil
		}
	}
	in.end(ctx) // it got no session, or that ended at once
	answered, refused := errors.AsType[*mysql.MySQLError](err)
	switch {
	case refused:
		return nil, strconv.Itoa(int(answered.Number)), nil
	case errors.Is(err, context.Canceled):
		return nil, "", ctx.Err()
	}
	return nil, noAnswer, nil
}

// refuses: of a wrong password, of a user who is not there, and of one who is locked
// (ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED).
func (mariaDBServer) refuses(status string) bool {
	return slices.Contains([]string{"1045", "1698", "4151"}, status)
}

func (mariaDBServer) taken() string { return "OK" }

// sessionAt names a session of a server by where that is, of an address that is filled
// in or not: what is filled in has no @ in it.
func sessionAt(dsn, session string) string {
	_, host, _ := strings.Cut(dsn, "@")
	host, _, _ = strings.Cut(host, "/")
	return host + " session " + session
}

// mariaDBConnection is a pool of one connection, which is not made anew.
type mariaDBConnection struct {
	pool *sql.DB
	conn *sql.Conn // nil: it was not let in
}

func (c mariaDBConnection) served(ctx context.Context) error { return c.conn.PingContext(ctx) }

func (c mariaDBConnection) end(context.Context) {
	if c.conn != nil {
		_ = c.conn.Close() // back to the pool, which ends it
	}
	_ = c.pool.Close()
}
