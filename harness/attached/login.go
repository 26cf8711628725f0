package attached

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// connection is a connection that a server has let in.
type connection interface {
	// served returns why it is not served any more.
	served(ctx context.Context) error
	end(ctx context.Context)
}

// database is a kind of server with logins, by its address.
type database interface {
	// user is under whom an address logs in.
	user(dsn string) (string, error)
	// open connects. conn is nil where the server let nobody in; status is then the server's own word.
	// An error is the harness's own, and quotes nothing.
	open(ctx context.Context, dsn string) (conn connection, status string, err error)
	// refuses reports whether a status refuses the credential.
	refuses(status string) bool
	// taken is the status of one that was let in.
	taken() string
}

// noAnswer is the status where there was none.
const noAnswer = "no answer"

// databaseOf is the kind of server that a service is.
func (s *System) databaseOf(service string) database {
	switch scheme, _, _ := strings.Cut(s.attach.Present[service].DSN, "://"); scheme {
	case "amqp", "amqps":
		return rabbitMQServer{s.listsOf(service)}
	case "redis", "rediss", "unix":
		return redisServer{s.seen.owns}
	case "nats", "tls":
		return natsServer{}
	case "mysql", "mariadb":
		return mariaDBServer{s.seen.owns}
	}
	return postgresServer{}
}

// errDSN says that an address cannot be read; why may quote it.
var errDSN = errors.New("attach.present: the dsn cannot be read when it is filled in")

// postgresServer is PostgreSQL; a status is an SQLSTATE.
type postgresServer struct{}

func (postgresServer) user(dsn string) (string, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", errDSN
	}
	return config.User, nil
}

func (postgresServer) open(ctx context.Context, dsn string) (connection, string, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, "", errDSN
	}
	config.RuntimeParams["application_name"] = family.ProbeAgent
	ways := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	config.Fallbacks = nil // pgx would log in again after a refusal: each must be one line of the server's log
	for _, way := range ways {
		config.Host, config.Port, config.TLSConfig = way.Host, way.Port, way.TLSConfig
		conn, err := pgx.ConnectConfig(ctx, config)
		answered, refused := errors.AsType[*pgconn.PgError](err)
		switch {
		case err == nil:
			return postgresConnection{conn}, "", nil
		case refused:
			return nil, postgresStatus(answered), nil
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			return nil, "", ctx.Err()
		}
	} // it speaks no TLS, which sslmode prefers unless it is said otherwise, or another host may answer (libpq, 34.1.1)
	return nil, noAnswer, nil
}

// poolerRefused is the status of a refusal by a PgBouncer, which has one code for everything that it
// turns away (1.18).
const poolerRefused = "08P01 authentication failed"

// postgresStatus is the code of an error. Of a pooler it tells a refusal of the client from a failure
// of the pooler's own login at the server.
func postgresStatus(answered *pgconn.PgError) string {
	text := answered.Message
	if answered.Code == "08P01" && !strings.HasPrefix(text, "server login") && (strings.Contains(text, "authentication failed") || strings.HasPrefix(text, "no such user")) {
		return poolerRefused
	}
	if answered.Code == pgNoRoom && strings.HasPrefix(text, pgRoleFull) {
		return refusal.PostgresRoleFull
	}
	return answered.Code
}

func (postgresServer) refuses(status string) bool {
	return strings.HasPrefix(status, "28") || status == poolerRefused
}
func (postgresServer) taken() string { return "00000" }

type postgresConnection struct{ conn *pgx.Conn }

func (c postgresConnection) served(ctx context.Context) error {
	_, err := c.conn.Exec(ctx, "SELECT 1")
	return err
}

func (c postgresConnection) end(ctx context.Context) { _ = c.conn.Close(ctx) }

// redisServer is Redis with its ACLs; a status is the first word of an error.
type redisServer struct {
	own func(address string) // called with the addresses of connections
}

func (redisServer) user(dsn string) (string, error) {
	o, err := redis.ParseURL(dsn)
	if err != nil {
		return "", errDSN
	}
	return cmp.Or(o.Username, redisDefault), nil
}

// redisDefault is the user of who names none, whose password is requirepass.
const redisDefault = "default"

// redisClient is a single connection to a server that tries its login once. It gets a name where its
// user may set one; own is called with its address. It reconnects only where anew is set.
func redisClient(dsn, name string, anew bool, own func(address string)) (*redis.Client, error) {
	o, err := redis.ParseURL(dsn)
	if err != nil {
		return nil, errDSN
	}
	quietRedis()
	o.PoolSize, o.MaxRetries, o.DisableIdentity, o.ContextTimeoutEnabled = 1, -1, true, true
	// The library would log in twice where it is refused (HELLO, then AUTH), and the server counts
	// both.
	user, password := cmp.Or(o.Username, redisDefault), o.Password
	o.Username, o.Password = "", ""
	o.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		if err := conn.AuthACL(ctx, user, password).Err(); err != nil {
			return err
		}
		_ = conn.ClientSetName(ctx, name).Err()
		return nil
	}
	dial := redis.NewDialer(o)
	var dialled atomic.Bool
	o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dialled.Swap(true) && !anew {
			return nil, errors.New("the connection has ended")
		}
		conn, err := dial(ctx, network, address)
		if err == nil {
			own(conn.LocalAddr().String())
		}
		return conn, err
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}

// quietRedis keeps the library from writing to the terminal.
var quietRedis = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf writes nothing.
func (silence) Printf(context.Context, string, ...any) {}

func (s redisServer) open(ctx context.Context, dsn string) (connection, string, error) {
	client, err := redisClient(dsn, family.ProbeAgent, false, s.own)
	if err != nil {
		return nil, "", err
	}
	in := redisConnection{client}
	if err = in.served(ctx); err == nil {
		return in, "", nil
	}
	_ = client.Close() // it was let in nowhere
	answered, refused := errors.AsType[redis.Error](err)
	switch {
	case refused: // the rest of the answer may quote what was sent
		code, _, _ := strings.Cut(answered.Error(), " ")
		return nil, code, nil
	case errors.Is(err, context.Canceled):
		return nil, "", ctx.Err()
	}
	return nil, noAnswer, nil
}

// refuses: the words with which Redis 7 refuses a login.
func (redisServer) refuses(status string) bool { return status == "WRONGPASS" || status == "NOAUTH" }
func (redisServer) taken() string              { return "OK" }

// redisConnection is a pool of one connection.
type redisConnection struct{ client *redis.Client }

// served pings. A user who may not ping was let in all the same.
func (c redisConnection) served(ctx context.Context) error {
	err := c.client.Ping(ctx).Err()
	if answered, ok := errors.AsType[redis.Error](err); ok && strings.HasPrefix(answered.Error(), "NOPERM ") {
		return nil
	}
	return err
}

func (c redisConnection) end(context.Context) { _ = c.client.Close() }
