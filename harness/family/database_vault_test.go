package family

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	fakedatabase "github.com/rehearse-dev/rehearse/fakes/database"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rootPassword is that of the administration in these tests.
const rootPassword = "pw_root_0123456789"

// servePostgres runs a real server for the length of a test.
func servePostgres(t *testing.T) (at string) {
	t.Helper()
	program := server.Programs["postgres"]
	if _, err := program.Find(); err != nil {
		if program.Required() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	config, err := json.Marshal(map[string]any{"name": "db", "admin_password": rootPassword, "folder": "rehearse-test-" + t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fakedatabase.ServePostgres(ctx, config, listener, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	at = "http://" + listener.Addr().String()
	if err := launch.Ready(t.Context(), at, contract.HealthPath, nil); err != nil {
		t.Fatal(err)
	}
	return at
}

// engine stands in for Vault's database secrets engine: it changes passwords at
// the server itself, and counts how often.
type engine struct {
	at        *postgres
	passwords map[string]string
	adopted   []world.StaticRole
	changes   int
}

var _ world.StaticRoles = (*engine)(nil)

func (e *engine) Adopt(ctx context.Context, role world.StaticRole) (string, error) {
	if password, ok := e.passwords[role.Login]; ok {
		return password, nil
	}
	e.adopted = append(e.adopted, role)
	return e.Rotate(ctx, role.Login)
}

func (e *engine) Rotate(ctx context.Context, login string) (string, error) {
	e.changes++
	password := fmt.Sprintf("pw_engine_%d_0123456789", e.changes)
	e.passwords[login] = password
	return password, e.at.asAdmin(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ALTER ROLE "+quoted(login)+" PASSWORD '"+password+"'")
		return err
	})
}

// vaultRehearsal is a role of a real server in the charge of an engine, and the
// credentials as they are published.
type vaultRehearsal struct {
	*vaultRole
	engine  *engine
	entries map[string]map[string]any
}

func newVaultRehearsal(t *testing.T) *vaultRehearsal {
	t.Helper()
	at := servePostgres(t)
	r := &vaultRehearsal{entries: map[string]map[string]any{}}
	kind := databaseKind{page: "orders_db", single: true}
	for _, name := range []string{"k1", "k2"} {
		entry, err := kind.generate(name)
		if err != nil {
			t.Fatal(err)
		}
		r.entries[name] = entry
	}
	p := &postgres{url: func() string { return at }, password: rootPassword, kind: kind, lookup: func(_ context.Context, name string) (credential, error) {
		return kind.parse(r.entries[name])
	}}
	r.engine = &engine{at: p, passwords: map[string]string{}}
	r.vaultRole = &vaultRole{postgres: p, roles: r.engine, name: "db", inside: func() string { return at },
		replace: func(_ context.Context, name string, entry map[string]any) error {
			r.entries[name] = maps.Clone(entry)
			return nil
		}}
	return r
}

func (r *vaultRehearsal) take(t *testing.T, step keyring.Step, name string) {
	t.Helper()
	c, err := r.lookup(t.Context(), name)
	if err == nil {
		err = r.do(t.Context(), step, c)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", step, name, err)
	}
}

// answers is how a password is answered, as it is published by then.
func (r *vaultRehearsal) answers(t *testing.T, name string, want history.Outcome) {
	t.Helper()
	c, err := r.lookup(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	session, got, err := r.login(t.Context(), c, ProbeAgent)
	if err != nil {
		t.Fatal(err)
	}
	if session != nil {
		session.close(t.Context())
	}
	if got.outcome != want {
		t.Errorf("a login with %s: got %s (%s), want %s", name, got.outcome, got.status, want)
	}
}

// TestVaultRole: what is published of a credential is the password that the
// engine chose; to accept the next one changes it at the server, and a step that
// is repeated changes nothing.
func TestVaultRole(t *testing.T) {
	r := newVaultRehearsal(t)
	made := fmt.Sprint(r.entries["k1"]["password"])
	r.take(t, keyring.Accept, "k1")
	if now := r.entries["k1"]["password"]; now == made || now != r.engine.passwords["orders_db_login"] {
		t.Error("k1 as it is published: want the password of the engine, and not the one that the run made")
	}
	r.answers(t, "k1", history.OK)
	if len(r.engine.adopted) != 1 {
		t.Fatalf("adopted: got %d roles, want 1", len(r.engine.adopted))
	}
	role := r.engine.adopted[0]
	address, err := url.Parse("postgres://" + role.Address)
	if err != nil || address.Query().Get("application_name") != contract.DatabaseAdmin || address.User != nil || role.Admin != contract.DatabaseAdmin || role.AdminPassword != rootPassword {
		t.Errorf("adopted at %s: %v, want the administration to log in there, in no request's name", role.Address, err)
	}
	r.take(t, keyring.Emit, "k1")
	if r.engine.changes != 1 {
		t.Errorf("after k1: got %d changes of the password, want the one of its adoption", r.engine.changes)
	}

	for range 2 {
		r.take(t, keyring.Accept, "k2")
	}
	r.take(t, keyring.Emit, "k2")
	r.answers(t, "k1", history.AuthFailure) // there is no overlap
	r.answers(t, "k2", history.OK)
	if r.engine.changes != 2 {
		t.Errorf("after k2, accepted twice: got %d changes of the password, want 2", r.engine.changes)
	}
	if tags, err := r.enabled(t.Context()); err != nil || len(tags) != 1 || tags[0] != "k2" {
		t.Errorf("who may log in: got %q, %v, want k2 only", tags, err)
	}
	r.take(t, keyring.Revoke, "k1") // whose password it no longer is
	r.answers(t, "k2", history.OK)
	r.take(t, keyring.Restore, "k1") // a new password in its name: the engine has no way back
	r.answers(t, "k1", history.OK)
	r.answers(t, "k2", history.AuthFailure)
	r.take(t, keyring.Revoke, "k1")
	r.answers(t, "k1", history.AuthFailure)
}

// TestVaultRoleWithoutVault says what is missing, and changes nothing.
func TestVaultRoleWithoutVault(t *testing.T) {
	role := &vaultRole{postgres: &postgres{kind: databaseKind{page: "orders_db", single: true}}, name: "db"}
	if err := role.rotate(t.Context(), postgresRole{tag: "k1"}); err == nil || !strings.Contains(err.Error(), "the store cannot") {
		t.Errorf("without a store that rotates: got %v, want that said", err)
	}
	unwilling := errors.New("sealed")
	role = &vaultRole{postgres: role.postgres, name: "db", roles: &engine{}, inside: func() string { return "" }}
	role.lookup = func(context.Context, string) (credential, error) { return credential{}, unwilling }
	if err := role.rotate(t.Context(), postgresRole{tag: "k1"}); !errors.Is(err, unwilling) {
		t.Errorf("without the credential: got %v, want %v", err, unwilling)
	}
	if _, err := role.adopt(t.Context(), "orders_db_login"); err == nil || !strings.Contains(err.Error(), "no address") {
		t.Errorf("without an address: got %v, want that said", err)
	}
}
