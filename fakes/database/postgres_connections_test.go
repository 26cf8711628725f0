package database

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// TestPostgresWithoutRoom: a connection that the server has no room for is
// neither accepted nor refused; with room it is, and a wrong password is refused
// as one all the same. The administration gets in in any case.
func TestPostgresWithoutRoom(t *testing.T) {
	const password = "pw_one_0123456789"
	for _, tt := range []struct {
		name        string
		connections int
		role        string
		password    string // of the third to come
		message     string // what the log says of it
		status      string
	}{
		{"room", 8, "LOGIN", password, "accepted", "00000"},
		{"none at the server", 2, "LOGIN", password, "undecided", "53300"},
		{"none at the server, and a wrong password", 2, "LOGIN", "pw_two_0123456789", "refused", "28P01"},
		{"none for the role", 8, "LOGIN CONNECTION LIMIT 2", password, "undecided", "53300"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, log := servePostgresWith(t, tt.connections)
			log.Forbid(password)
			asAdmin(t, at, "CREATE ROLE one PASSWORD '"+password+"' "+tt.role)
			for range 2 {
				standintest.Eventually(t, "room for one of two sessions", func() bool { // what asAdmin took may be just ending
					_, err := logIn(t, at, "one", password, "orders/k1")
					return err == nil
				})
			}
			before := len(log.Lines(tt.message))
			_, err := logIn(t, at, "one", tt.password, "orders/k2")
			if tt.status == "00000" {
				if err != nil {
					t.Errorf("a third session: got %v, want it let in", err)
				}
			} else {
				wantState(t, "a third session", err, tt.status)
			}
			standintest.Eventually(t, "word of the third", func() bool { return len(log.Lines(tt.message)) > before })
			lines := log.Lines(tt.message)
			if last := lines[len(lines)-1]; last.Status != tt.status || last.Presenter != "orders" || last.Identifier != "k2" {
				t.Errorf("the last %s: got %+v, want orders with k2 and %s", tt.message, last, tt.status)
			}
			asAdmin(t, at, "SELECT 1")
		})
	}
}

// sessionsOf counts the sessions of a role that a server has.
func sessionsOf(t *testing.T, at, role string) (n int) {
	t.Helper()
	conn, err := logIn(t, at, contract.DatabaseAdmin, adminPassword, contract.DatabaseAdmin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", role).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// swappingQuerier serves one with a pool of three at a server with roles one and
// two, and has it log in as one first; switchTo publishes the other.
func swappingQuerier(t *testing.T, at, life string, swaps bool) (querier string, log *standintest.Log, switchTo func()) {
	t.Helper()
	asAdmin(t, at, "CREATE TABLE rehearsal AS SELECT 1::bigint AS visits", "GRANT SELECT ON rehearsal TO PUBLIC",
		"CREATE ROLE one LOGIN PASSWORD 'pw_one_0123456789'", "CREATE ROLE two LOGIN PASSWORD 'pw_two_0123456789'")
	entry := func(tag, user string) map[string]any {
		return map[string]any{"tag": tag, "user": user, "password": "pw_" + user + "_0123456789"}
	}
	file := filepath.Join(t.TempDir(), "secret.json")
	standintest.Replace(t, file, standintest.Document(t, "k1", entry("k1", "one")))
	querier, log = standintest.Serve(t, ServeQuerier, map[string]any{
		"name": "orders", "database": at, "type": "postgresql", "life": life, "pool": 3, "swaps_pool": swaps, "file": file, "refresh": "10ms",
	})
	log.Forbid("pw_one_0123456789", "pw_two_0123456789")
	standintest.AwaitReady(t, querier)
	return querier, log, func() {
		t.Helper()
		standintest.Replace(t, file, standintest.Document(t, "k2", entry("k1", "one"), entry("k2", "two")))
		standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
	}
}

// TestQuerierSwapsItsPool: a new pool is filled beside the old one, which stays
// until its life is over and makes no connection any more; without it there is
// one pool, and nothing is made before a connection's life is over.
func TestQuerierSwapsItsPool(t *testing.T) {
	for _, tt := range []struct {
		name     string
		life     string
		swaps    bool
		one, two int // sessions in the end
	}{
		{"one pool", "1h", false, 3, 0},
		{"a new one beside the old one", "1h", true, 3, 3},
		{"and the old one is over", "1s", true, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, serverLog := servePostgres(t)
			querier, _, switchTo := swappingQuerier(t, at, tt.life, tt.swaps)
			if got := sessionsOf(t, at, "one"); tt.life == "1h" && got != 3 {
				t.Fatalf("at the start: got %d sessions, want a whole pool of 3", got)
			}
			switchTo()
			if tt.swaps {
				standintest.Eventually(t, "three logins with k2", func() bool {
					n := 0
					for _, tag := range serverLog.Identifiers("accepted") {
						if tag == "k2" {
							n++
						}
					}
					return n >= 3
				})
			}
			if status, body := standintest.Call(t, http.MethodGet, querier+"/", "", nil); status != http.StatusOK {
				t.Errorf("a query: got %d %s, want 200", status, body)
			}
			logins := len(serverLog.Lines("accepted"))
			var one, two int
			standintest.Eventually(t, "the sessions of both roles", func() bool {
				one, two = sessionsOf(t, at, "one"), sessionsOf(t, at, "two")
				return one == tt.one && two == tt.two
			})
			if got := len(serverLog.Lines("accepted")); got != logins {
				t.Errorf("logins without a query: got %d, want none", got-logins)
			}
		})
	}
}

// TestQuerierWithoutRoom: of a pool that is made anew beside the old one, the
// server has room for some; of the others consumer and server tell the same, and
// that is no refusal.
func TestQuerierWithoutRoom(t *testing.T) {
	at, serverLog := servePostgresWith(t, 4)
	_, log, switchTo := swappingQuerier(t, at, "1h", true)
	switchTo()
	told := func(lines *standintest.Log, message string) (n int) {
		for _, line := range lines.Lines(message) {
			if line.Status == "53300" && line.Identifier == "k2" {
				n++
			}
		}
		return n
	}
	standintest.Eventually(t, "a connection that there is no room for", func() bool {
		return told(log, "presented") > 0 && told(log, "presented") == told(serverLog, "undecided")
	})
	if refused := serverLog.Lines("refused"); len(refused) > 0 {
		t.Errorf("refused: got %+v, want none", refused)
	}
	if got := serverLog.Identifiers("accepted"); !slices.Contains(got, "k2") {
		t.Errorf("accepted: got %v, want one with k2, for which there is room", got)
	}
}

// TestQuerierConfiguration refuses what would make no sense.
func TestQuerierConfiguration(t *testing.T) {
	for want, config := range map[string]string{
		"a pool of 0":               `{"name": "orders", "database": "http://db", "type": "postgresql", "life": "1h", "pool": 0, "file": "f", "refresh": "1s"}`,
		"swaps_pool is for Postgre": `{"name": "orders", "database": "http://db", "type": "redis", "life": "1h", "pool": 1, "swaps_pool": true, "file": "f", "refresh": "1s"}`,
	} {
		if err := ServeQuerier(context.Background(), []byte(config), nil, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
		}
	}
}
