package database

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/server"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// requireServer skips a test where the machine has no such server, unless one
// is required.
func requireServer(t *testing.T, kind string) {
	t.Helper()
	program := server.Programs[kind]
	if _, err := program.Find(); err != nil {
		if program.Required() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

const adminPassword = "pw_admin_0123456789"

// servePostgres runs a server for the length of a test, with a folder that is
// looked for at its end.
func servePostgres(t *testing.T) (url string, log *standintest.Log) {
	t.Helper()
	return servePostgresWith(t, 0)
}

// testFolder is a name that no other test has, in another process neither.
func testFolder() string { return "rehearse-test-" + rand.Text()[:12] }

// servePostgresWith runs one with room for so many connections; 0: its default.
func servePostgresWith(t *testing.T, connections int) (url string, log *standintest.Log) {
	t.Helper()
	requireServer(t, "postgres")
	folder := testFolder()
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(os.TempDir(), folder)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the server's folder at the end: got %v, want none", err)
		}
	})
	url, log = standintest.Serve(t, ServePostgres, map[string]any{
		"name": "db", "admin_password": adminPassword, "folder": folder, "connections": connections,
	})
	log.Forbid(adminPassword)
	standintest.AwaitReady(t, url)
	return url, log
}

// logIn makes a connection to a server of servePostgres.
func logIn(t *testing.T, at, user, password, application string) (*pgx.Conn, error) {
	t.Helper()
	parsed, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig("postgres://" + parsed.Host + "/" + contract.PostgresDatabase + "?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password, config.RuntimeParams["application_name"] = user, password, application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(t.Context()) })
	}
	return conn, err
}

// asAdmin runs statements as the administration does.
func asAdmin(t *testing.T, at string, statements ...string) {
	t.Helper()
	conn, err := logIn(t, at, contract.DatabaseAdmin, adminPassword, contract.DatabaseAdmin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) // it takes up room
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// wantState checks the SQLSTATE of a refusal.
func wantState(t *testing.T, what string, err error, state string) {
	t.Helper()
	answered, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || answered.Code != state {
		t.Errorf("%s: got %v, want SQLSTATE %s", what, err, state)
	}
}

// TestPostgresTellsEveryLogin: what is decided about a connection is told once,
// with who presented which credential, and what the administration does is not.
func TestPostgresTellsEveryLogin(t *testing.T) {
	at, log := servePostgres(t)
	log.Forbid("pw_one_0123456789", "pw_two_0123456789")
	asAdmin(t, at, "CREATE ROLE one LOGIN PASSWORD 'pw_one_0123456789'")
	session, err := logIn(t, at, "one", "pw_one_0123456789", "orders/k1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = logIn(t, at, "one", "pw_two_0123456789", "orders/k2")
	wantState(t, "a wrong password", err, "28P01")
	_, err = logIn(t, at, "nobody", "pw_two_0123456789", "nightly/k9")
	wantState(t, "an unknown role", err, "28P01")
	asAdmin(t, at, "ALTER ROLE one NOLOGIN")
	_, err = logIn(t, at, "one", "pw_one_0123456789", "orders/k1")
	wantState(t, "a role without LOGIN", err, "28000")
	asAdmin(t, at, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'one'")
	_, err = session.Exec(t.Context(), "SELECT 1")
	wantState(t, "a session that was ended", err, stateEnded)
	standintest.Eventually(t, "word of the ended session", func() bool { return len(log.Lines("ended")) == 1 })
	if ended := log.Lines("ended")[0]; ended.Presenter != "orders" || ended.Identifier != "k1" {
		t.Errorf("ended: got %+v, want a session of orders with k1", ended)
	}
	status, body := standintest.Call(t, http.MethodGet, at+"/rehearse/status", "", nil) // waits for the last word
	if want := `{"accepted":1,"refused":3,"served":4}` + "\n"; status != http.StatusOK || body != want {
		t.Errorf("counters: got %d %s, want %s", status, body, want)
	}
	var said []string
	for _, message := range []string{"accepted", "refused"} {
		for _, line := range log.Lines(message) {
			said = append(said, message+" "+line.Presenter+" "+line.Identifier+" "+line.Status)
		}
	}
	slices.Sort(said)
	standintest.WantEqual(t, "decisions", said, []string{
		"accepted orders k1 00000", "refused nightly k9 28P01", "refused orders k1 28000", "refused orders k2 28P01",
	})
}

// TestQuerierOnPostgres: what the consumer counts agrees with what the server
// does, and a new login is taken for connections that begin after it was read.
func TestQuerierOnPostgres(t *testing.T) {
	at, serverLog := servePostgres(t)
	asAdmin(t, at, "CREATE TABLE rehearsal AS SELECT 1::bigint AS visits", "GRANT SELECT ON rehearsal TO PUBLIC",
		"CREATE ROLE one LOGIN PASSWORD 'pw_one_0123456789'", "CREATE ROLE two LOGIN PASSWORD 'pw_two_0123456789'")
	entry := func(tag, user, password string) map[string]any {
		return map[string]any{"tag": tag, "user": user, "password": password}
	}
	one, two := entry("k1", "one", "pw_one_0123456789"), entry("k2", "two", "pw_two_0123456789")
	file := filepath.Join(t.TempDir(), "secret.json")
	standintest.Replace(t, file, standintest.Document(t, "k1", one))
	querier, log := standintest.Serve(t, ServeQuerier, map[string]any{
		"name": "orders", "database": at, "type": "postgresql", "life": "1h", "pool": 10, "file": file, "refresh": "10ms",
	})
	log.Forbid("pw_one_0123456789", "pw_two_0123456789")
	standintest.AwaitReady(t, querier)
	query := func(want int) {
		t.Helper()
		if status, body := standintest.Call(t, http.MethodGet, querier+"/", "", nil); status != want {
			t.Errorf("a query: got %d %s, want %d", status, body, want)
		}
	}
	query(http.StatusOK)
	standintest.Replace(t, file, standintest.Document(t, "k2", one, two))
	standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
	asAdmin(t, at, "ALTER ROLE one NOLOGIN") // sessions stay, and hide that
	query(http.StatusOK)
	if got := serverLog.Identifiers("accepted"); slices.Contains(got, "k2") {
		t.Errorf("before connections are made anew: got %v accepted, want k1 only", got)
	}
	if status, body := standintest.Call(t, http.MethodPost, querier+"/rehearse/renew", "", nil); status != http.StatusNoContent {
		t.Fatalf("renew: got %d %s, want 204", status, body)
	}
	query(http.StatusOK)
	standintest.Eventually(t, "a login with k2", func() bool { return slices.Contains(serverLog.Identifiers("accepted"), "k2") })
	asAdmin(t, at, "ALTER ROLE two NOLOGIN")
	if status, body := standintest.Call(t, http.MethodPost, querier+"/rehearse/renew", "", nil); status != http.StatusNoContent {
		t.Fatalf("renew: got %d %s, want 204", status, body)
	}
	query(http.StatusBadGateway)
	if got, want := len(log.Lines("presented")), len(serverLog.Lines("accepted"))+len(serverLog.Lines("refused")); got != want {
		t.Errorf("attempts: the querier tells of %d, and the server of %d, want the same", got, want)
	}
}
