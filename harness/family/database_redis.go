package family

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// redisServer is one Redis server with its ACLs. A user holds a list of
// passwords, so that an overlap needs nothing but a second one:
//
//	accept ──► ACL SETUSER user #new     both log in
//	revoke ──► ACL SETUSER user !old     and CLIENT KILL USER user
//
// Redis does not know by which password a session was let in, so that a revoke
// ends all of the user; who has the new password is back at once.
type redisServer struct {
	url           func() string
	password      string // of the administration
	kind          databaseKind
	keepsSessions bool // a revoke leaves sessions alone
	lookup        func(ctx context.Context, name string) (credential, error)

	mu   sync.Mutex
	tags map[string]string // of the credentials that it was told of, by hash
}

var _ database = (*redisServer)(nil)

func bindRedis(_ Backend, d *databaseBound, s plan.Service, password string) database {
	return &redisServer{
		url: func() string { return d.url(s.Name) }, password: password,
		kind: d.kind, lookup: d.steps.credential, keepsSessions: s.KeepsSessions, tags: map[string]string{},
	}
}

// redisRights are those of the user: to its own keys, and to nothing that
// administers the server.
var redisRights = []any{"on", "~rehearsal:*", "resetchannels", "-@all", "+@read", "+@write", "+@connection"}

// quietRedis keeps the library from writing to the terminal of its own accord.
var quietRedis = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf writes nothing.
func (silence) Printf(context.Context, string, ...any) {}

// client is one connection that asks once.
func (r *redisServer) client(user, password, name string) (*redis.Client, error) {
	at, err := url.Parse(r.url())
	if err != nil || at.Host == "" {
		return nil, errors.New("it was not started")
	}
	quietRedis()
	return redis.NewClient(&redis.Options{
		Addr: at.Host, Username: user, Password: password, ClientName: name,
		PoolSize: 1, MaxRetries: -1, DisableIdentity: true, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}), nil
}

// asAdmin runs f on a connection of the administration.
func (r *redisServer) asAdmin(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	client, err := r.client(contract.DatabaseAdmin, r.password, contract.DatabaseAdmin)
	if err != nil {
		return err
	}
	return errors.Join(f(ctx, client), client.Close())
}

// hash is what a server keeps of a credential's password.
func (r *redisServer) hash(c credential) string {
	sum := sha256.Sum256([]byte(c.values[0]))
	hash := hex.EncodeToString(sum[:])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[hash] = c.identifier
	return hash
}

func (r *redisServer) do(ctx context.Context, step keyring.Step, c credential) error {
	if step == keyring.Emit && !r.kind.single || step == keyring.Destroy {
		return nil // who logs in with which is not the server's business, and what is revoked it has forgotten
	}
	c, err := r.lookup(ctx, c.identifier)
	if err != nil {
		return err
	}
	user, hash := r.kind.user(c.identifier), r.hash(c)
	return r.asAdmin(ctx, func(ctx context.Context, admin *redis.Client) error {
		switch step {
		case keyring.Accept, keyring.Restore, keyring.Emit:
			err = r.set(ctx, admin, user, r.accepting(hash)...)
		default:
			err = r.remove(ctx, admin, user, hash)
		}
		if err != nil {
			return err
		}
		if (step == keyring.Revoke || step == keyring.Withdraw) && !r.keepsSessions {
			if err := admin.Do(ctx, "CLIENT", "KILL", "USER", user).Err(); err != nil {
				return fmt.Errorf("end the sessions of %s: %w", user, err)
			}
		}
		return admin.Do(ctx, "ACL", "SAVE").Err()
	})
}

// accepting are the rules that add a password, or put it in the place of all
// others.
func (r *redisServer) accepting(hash string) []any {
	rules := slices.Clone(redisRights)
	if r.kind.single {
		rules = append(rules, "resetpass")
	}
	return append(rules, "#"+hash)
}

func (r *redisServer) set(ctx context.Context, admin *redis.Client, user string, rules ...any) error {
	return admin.Do(ctx, append([]any{"ACL", "SETUSER", user}, rules...)...).Err()
}

// remove takes a password from the user. One that is not there is no trouble.
func (r *redisServer) remove(ctx context.Context, admin *redis.Client, user, hash string) error {
	hashes, err := r.hashes(ctx, admin, user)
	if err != nil || !slices.Contains(hashes, hash) {
		return err
	}
	return r.set(ctx, admin, user, "!"+hash)
}

// hashes are the passwords of a user; none where there is no such user.
func (r *redisServer) hashes(ctx context.Context, admin *redis.Client, user string) ([]string, error) {
	answer, err := admin.Do(ctx, "ACL", "GETUSER", user).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	settings, _ := answer.(map[any]any)
	list, ok := settings["passwords"].([]any)
	if !ok {
		return nil, fmt.Errorf("read the user %s: it has no list of passwords", user)
	}
	var hashes []string
	for _, hash := range list {
		hashes = append(hashes, fmt.Sprint(hash))
	}
	return hashes, nil
}

// putBack leaves the user one password.
func (r *redisServer) putBack(ctx context.Context, c credential) error {
	return r.asAdmin(ctx, func(ctx context.Context, admin *redis.Client) error {
		return r.set(ctx, admin, r.kind.user(c.identifier), "resetpass", "#"+r.hash(c))
	})
}

func (r *redisServer) enabled(ctx context.Context) (tags []string, err error) {
	err = r.asAdmin(ctx, func(ctx context.Context, admin *redis.Client) error {
		hashes, err := r.hashes(ctx, admin, r.kind.user(""))
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, hash := range hashes {
			if tag, known := r.tags[hash]; known {
				tags = append(tags, tag)
			} else {
				tags = append(tags, "one that is not the run's")
			}
		}
		return err
	})
	return tags, err
}

// Words with which a server refuses a login.
const (
	redisWrongPass = "WRONGPASS"
	redisNoAuth    = "NOAUTH"
)

func (r *redisServer) login(ctx context.Context, c credential, application string) (databaseSession, loginResult, error) {
	user, _ := c.entry["user"].(string)
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	client, err := r.client(user, c.values[0], application)
	if err != nil {
		return nil, loginResult{}, err
	}
	if err = client.Ping(bounded).Err(); err == nil {
		return redisSession{client}, loginResult{history.OK, "OK"}, nil
	}
	_ = client.Close() // it was let in nowhere
	answered, ok := errors.AsType[redis.Error](err)
	switch {
	case !ok && ctx.Err() != nil:
		return nil, loginResult{}, ctx.Err()
	case !ok:
		return nil, loginResult{history.Unavailable, unanswered(err)}, nil
	}
	// The rest of an answer may quote what was sent.
	code, _, _ := strings.Cut(answered.Error(), " ")
	if code == redisWrongPass || code == redisNoAuth {
		return nil, loginResult{history.AuthFailure, code}, nil
	}
	return nil, loginResult{history.Unavailable, code}, nil
}

// redisSession is a session of a probe: a pool of one connection.
type redisSession struct{ client *redis.Client }

func (s redisSession) works(ctx context.Context) bool { return s.client.Ping(ctx).Err() == nil }

func (s redisSession) close(context.Context) { _ = s.client.Close() }
