package family

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresRole is a role that logs in, on a connection of the administration.
type postgresRole struct {
	conn             *pgx.Conn
	name, owner, tag string
}

// quoted is a name as SQL has it.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// run runs statements that cannot take parameters.
func (r postgresRole) run(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := r.conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// unless runs statements, and takes it for done where the object is there.
func (r postgresRole) unless(ctx context.Context, there string, statements ...string) error {
	err := r.run(ctx, statements...)
	if answered, ok := errors.AsType[*pgconn.PgError](err); ok && answered.Code == there {
		return nil
	}
	return err
}

// SQLSTATEs (PostgreSQL, Appendix A).
const (
	duplicateObject = "42710"
	undefinedObject = "42704"
)

// accept lets the role log in with a credential, as the owner of everything.
// What is sent is what the server keeps of a password, and not that itself.
func (r postgresRole) accept(ctx context.Context, c credential) error {
	verifier, err := scramVerifier(c.values[0])
	if err != nil {
		return err
	}
	owner, role := quoted(r.owner), quoted(r.name)
	if err := r.unless(ctx, duplicateObject, "CREATE ROLE "+owner+" NOLOGIN"); err != nil {
		return fmt.Errorf("make the owner: %w", err)
	}
	err = r.run(ctx,
		"CREATE TABLE IF NOT EXISTS rehearsal AS SELECT 1::bigint AS visits",
		"ALTER TABLE rehearsal OWNER TO "+owner)
	if err == nil {
		err = r.unless(ctx, duplicateObject, "CREATE ROLE "+role+" NOINHERIT IN ROLE "+owner)
	}
	if err == nil {
		err = r.run(ctx,
			"ALTER ROLE "+role+" SET role TO "+owner,
			"ALTER ROLE "+role+" LOGIN PASSWORD '"+verifier+"'",
			r.comment())
	}
	return err
}

// comment says at the server whose password the role has.
func (r postgresRole) comment() string {
	return "COMMENT ON ROLE " + quoted(r.name) + " IS '" + strings.ReplaceAll(r.tag, "'", "''") + "'"
}

// alter changes an attribute of the role. One that is not there is no trouble
// where it may not log in.
func (r postgresRole) alter(ctx context.Context, attribute string) error {
	statement := "ALTER ROLE " + quoted(r.name) + " " + attribute
	if attribute == "NOLOGIN" {
		return r.unless(ctx, undefinedObject, statement)
	}
	return r.run(ctx, statement)
}

// revoke lets nobody log in as the role any more and, unless they are kept, ends
// the sessions that it has: a session outlives its password, and its role too.
func (r postgresRole) revoke(ctx context.Context, keepsSessions bool) error {
	if err := r.alter(ctx, "NOLOGIN"); err != nil || keepsSessions {
		return err
	}
	return r.endSessions(ctx)
}

// endSessions ends those of the role, and returns when they are gone.
func (r postgresRole) endSessions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sessionsEnd)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var left int
		err := r.conn.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1", r.name).Scan(&left)
		if err != nil {
			return fmt.Errorf("end sessions of %s: %w", r.name, err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("end sessions of %s: %d are there still: %w", r.name, left, ctx.Err())
		case <-tick.C:
		}
	}
}

// drop removes the role; one that still has sessions is removed too.
func (r postgresRole) drop(ctx context.Context) error {
	return r.run(ctx, "DROP ROLE IF EXISTS "+quoted(r.name))
}

// described is the tag of the credential whose password the role has; "" where
// there is no such role.
func (r postgresRole) described(ctx context.Context) (tag string, err error) {
	err = r.conn.QueryRow(ctx, "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = $1", r.name).Scan(&tag)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return tag, err
}

// scramIterations is PostgreSQL's own default (scram_iterations, 4096).
const scramIterations = 4096

// scramVerifier is what a server keeps of a password (RFC 5803 §2, as
// PostgreSQL has it in pg_authid): it logs nobody in.
func scramVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", errors.New("derive a key of a password")
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(text)) // a hash's Write never fails
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, encode(salt), encode(stored[:]), encode(sign("Server Key"))), nil
}
