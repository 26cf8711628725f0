package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// DatabaseKey is what a querier reads from a Redis server.
const DatabaseKey = "rehearsal:visits"

// redisPool is the pool of a client of redis/go-redis.
type redisPool struct {
	options *redis.Options
	size    int

	mu     sync.RWMutex // held for reading while the client is in use
	client *redis.Client
}

var redisDriver = driver{open: newRedisPool, outcomes: map[string]history.Outcome{
	redisTaken: history.OK, redisWrongPass: history.AuthFailure, redisNoAuth: history.AuthFailure,
}}

func newRedisPool(c contract.Querier, from dialler) (pool, error) {
	at, err := url.Parse(c.Database)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("check configuration: database is %q, want a URL", c.Database)
	}
	if c.SwapsPool {
		return nil, errors.New("check configuration: swaps_pool is for PostgreSQL: a client of Redis keeps its pool full by itself, also one that is used no more")
	}
	quiet()
	life := time.Duration(c.Life)
	jitter := time.Duration(lifeJitter / 2 * float64(life)) // to both sides
	p := &redisPool{size: c.Pool, options: &redis.Options{
		Addr: at.Host, ClientName: c.Name, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		CredentialsProviderContext: func(ctx context.Context) (string, string, error) {
			login, ok := from.login()
			if !ok {
				return "", "", errNoLogin
			}
			dialOf(ctx).begin(from, login.Tag)
			return login.User, login.Password, nil
		},
		OnConnect: func(ctx context.Context, _ *redis.Conn) error {
			dialOf(ctx).end(from, redisTaken, "")
			return nil
		},
		DialTimeout: queryDeadline, ContextTimeoutEnabled: true,
		// First in, first out: all connections are in use, and none grows old unseen.
		PoolFIFO: true, PoolSize: c.Pool, MinIdleConns: c.Pool,
		ConnMaxLifetime: life - jitter, ConnMaxLifetimeJitter: jitter,
	}}
	p.client = redis.NewClient(p.options)
	return p, nil
}

// ask runs f on the client, and tells what became of a login that it came to.
func (p *redisPool) ask(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	d := &loginAttempt{}
	ctx = context.WithValue(ctx, dialKey{}, d)
	err := f(ctx, p.client)
	if err != nil {
		d.fail(err)
	}
	return err
}

func (p *redisPool) query(ctx context.Context) error {
	return p.ask(ctx, func(ctx context.Context, client *redis.Client) error {
		err := client.Get(ctx, DatabaseKey).Err()
		if errors.Is(err, redis.Nil) {
			return nil // nobody has written it: the question was answered
		}
		return err
	})
}

// fill takes all connections, and gives them back; where one cannot be had, that
// was told of.
func (p *redisPool) fill(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, queryDeadline)
	defer cancel()
	var taken []*redis.Conn
	defer func() {
		for _, conn := range taken {
			_ = conn.Close() // back to the pool
		}
	}()
	for range p.size {
		err := p.ask(ctx, func(ctx context.Context, client *redis.Client) error {
			conn := client.Conn()
			taken = append(taken, conn)
			return conn.Ping(ctx).Err()
		})
		if err != nil {
			return
		}
	}
}

// renew changes to a new client, when the last query of the one before is done.
func (p *redisPool) renew(context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.client.Close() // connections that are closed anyhow
	p.client = redis.NewClient(p.options)
}

// swap is for a pool whose login is fixed: this one asks for it at each login.
func (p *redisPool) swap(context.Context) error { return errors.ErrUnsupported }

func (p *redisPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.client.Close() // again, perhaps
}

// loginAttempt is the login that one command had to wait for: go-redis logs in under the
// context of the command that needs the connection.
type loginAttempt struct {
	from  dialler // nil: none is under way
	tag   string
	began time.Time
}

type dialKey struct{}

// dialOf is the dial of a command's context; one that nobody looks at where
// there is none.
func dialOf(ctx context.Context) *loginAttempt {
	if d, ok := ctx.Value(dialKey{}).(*loginAttempt); ok {
		return d
	}
	return &loginAttempt{}
}

// begin tells that a login begins. One that was under way got no answer: the
// client repeats a command whose connection broke.
func (d *loginAttempt) begin(from dialler, tag string) {
	d.fail(errors.New("no answer"))
	from.dialling()
	d.from, d.tag, d.began = from, tag, time.Now()
}

// end tells what became of the login, if one is under way.
func (d *loginAttempt) end(to dialler, status, detail string) {
	if d.from == nil {
		return
	}
	d.from = nil
	to.dialled(d.tag, status, detail, time.Since(d.began))
}

// fail ends a login with the error of its command.
func (d *loginAttempt) fail(err error) {
	code, detail := history.StatusUnavailable, "no answer"
	if answered, ok := errors.AsType[redis.Error](err); ok {
		// The rest of an answer may quote what was sent.
		code, _, _ = strings.Cut(answered.Error(), " ")
		detail = "answered " + code
	}
	d.end(d.from, code, detail)
}
