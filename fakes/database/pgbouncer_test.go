package database

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// servePgBouncer runs a pooler that asks a database for passwords.
func servePgBouncer(t *testing.T, database string) (url string, log *standintest.Log) {
	t.Helper()
	requireServer(t, "pgbouncer")
	url, log = standintest.Serve(t, ServePgBouncer, map[string]any{
		"name": "pgb", "admin_password": adminPassword, "folder": "rehearse-test-pooler-" + filepath.Base(t.TempDir()), "database": database, "auth_query": true,
		"mode": "transaction", "life": "300ms", "login_retry": "2s", "query_wait": "10s", "pool": 2,
	})
	log.Forbid(adminPassword)
	standintest.AwaitReady(t, url)
	return url, log
}

// TestPgBouncerIsPoisoned holds what is told of a real PgBouncer in front of a real
// PostgreSQL against what it does when the one password is changed: a session of
// before has it log in with the old one, and then the right one is refused too.
func TestPgBouncerIsPoisoned(t *testing.T) {
	db, _ := servePostgres(t)
	asAdmin(t, db, "CREATE ROLE app LOGIN PASSWORD 'old_0123456789'")
	url, log := servePgBouncer(t, db)
	asks := func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), "SELECT 1", pgx.QueryExecModeSimpleProtocol)
		return err
	}
	// until waits for something that the pooler does by its own clock.
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited 20s for %s", what)
			}
		}
	}
	before, err := logIn(t, url, "app", "old_0123456789", "orders/k1")
	if err != nil {
		t.Fatal(err)
	}
	if err := asks(before); err != nil {
		t.Fatal(err)
	}
	if _, err := logIn(t, url, "app", "wrong", "guesser/k0"); err == nil {
		t.Error("a wrong password was taken")
	}
	asAdmin(t, db, "ALTER ROLE app PASSWORD 'new_0123456789'")
	locked := func() []history.Line { return log.Lines(string(history.KindLocked)) }
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	wait.Go(func() { // the session of before goes on until the pooler has no connection for it
		for ctx.Err() == nil {
			if _, err := before.Exec(ctx, "SELECT 1", pgx.QueryExecModeSimpleProtocol); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond) // PgBouncer replaces what is not in use
		}
	})
	until("a login that the database refuses", func() bool { return len(locked()) > 0 })
	if l := locked()[0]; l.Presenter != "orders" || l.Identifier != "k1" || l.What != contract.LoginRetry || l.Status != "28P01" {
		t.Errorf("got %+v, want that the login of orders with k1 was refused with 28P01", l)
	}
	until("the right password to be taken again", func() bool {
		conn, err := logIn(t, url, "app", "new_0123456789", "orders/k2")
		return err == nil && asks(conn) == nil
	})
	refused := log.Lines(history.MessageRefused)
	if !slices.ContainsFunc(refused, func(l history.Line) bool { return l.Identifier == "k0" && l.Status == "08P01" }) {
		t.Errorf("got %+v, want the refusal of a wrong password", refused)
	}
	if !slices.ContainsFunc(refused, func(l history.Line) bool { return l.Identifier == "k2" }) {
		t.Errorf("got %+v, want the right password refused for %s", refused, contract.LoginRetry)
	}
	if len(log.Lines(string(history.KindUnlocked))) == 0 {
		t.Error("got no line that it lets people in again")
	}
}
