package database

import (
	"bytes"
	"context"
	"crypto/sha1"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// What go-sql-driver/mysql v1.10.1 sends to MariaDB 10.11 as orders/k1, read off the wire.
const handshake = "8ca23a01000000002d0000000000000000000000000000000000000000000000" +
	"7500" + "14bc479c585199f0120a6d35ea5359d7f9db3e1f09" + "72656865617273616c00" + "6d7973716c5f6e61746976655f70617373776f726400"

func TestMariaDBLogin(t *testing.T) {
	fixed, err := hex.DecodeString(handshake)
	if err != nil {
		t.Fatal(err)
	}
	words := func(pairs ...string) []byte {
		var all bytes.Buffer
		for _, w := range pairs {
			all.WriteByte(byte(len(w)))
			all.WriteString(w)
		}
		return append([]byte{byte(all.Len())}, all.Bytes()...)
	}
	for _, tt := range []struct {
		name     string
		response []byte
		want     string
	}{
		{"as go-sql-driver does", append(bytes.Clone(fixed), words("_os", "linux", "program_name", "orders/k1")...), "u orders/k1"},
		{"a client that does not say who it is", append(bytes.Clone(fixed), words("_os", "linux")...), "u "},
		{"a long value before it", append(bytes.Clone(fixed), append([]byte{0xfc, 0x60, 0x01}, append(append([]byte("\x01x\xfc\x45\x01"), bytes.Repeat([]byte("y"), 0x145)...), []byte("\x0cprogram_name\x08orders/2")...)...)...), "u orders/2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			user, application, _, err := mariaDBLogin(tt.response)
			if got := user + " " + application; got != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	asks := bytes.Clone(fixed[:32])
	binary.LittleEndian.PutUint32(asks, binary.LittleEndian.Uint32(asks)|canSSL)
	huge := append(bytes.Clone(fixed), 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	for name, response := range map[string][]byte{
		"nothing": nil, "cut off in the user": fixed[:33], "cut off in the password": fixed[:40], "without its attributes": fixed,
		"encryption": asks, "more attributes than there are bytes": huge,
	} {
		if user, application, _, err := mariaDBLogin(response); err == nil {
			t.Errorf("%s: got %q and %q, want an error", name, user, application)
		}
	}
}

func TestMariaDBErrors(t *testing.T) {
	packet, err := hex.DecodeString("45000004ff1504233238303030" + hex.EncodeToString([]byte("Access denied for user 'u'")))
	if err != nil {
		t.Fatal(err)
	}
	if code, text := mariaDBCode(packet), mariaDBText(packet); code != mariaDBDenied || text != "Access denied for user 'u'" {
		t.Errorf("got %q and %q, want 1045 and the text", code, text)
	}
	if code, text := mariaDBCode(packet[:6]), mariaDBText(packet[:6]); code != "" || text != "" {
		t.Errorf("of one that is cut off: got %q and %q, want nothing", code, text)
	}
}

// serveMariaDB runs a server for the length of a test, with a folder that is looked
// for at its end, and gives the administration's connections.
func serveMariaDB(t *testing.T) (at string, admin *sql.DB, log *standintest.Log) {
	t.Helper()
	requireServer(t, "mariadb")
	folder := testFolder()
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(os.TempDir(), folder)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the server's folder at the end: got %v, want none", err)
		}
	})
	at, log = standintest.Serve(t, ServeMariaDB, map[string]any{"name": "db", "admin_password": adminPassword, "folder": folder})
	log.Forbid(adminPassword)
	standintest.AwaitReady(t, at)
	return at, mariaDBAs(t, at, contract.DatabaseAdmin, adminPassword, contract.DatabaseAdmin), log
}

// mariaDBAs is a pool of a client.
func mariaDBAs(t *testing.T, at, user, password, application string) *sql.DB {
	t.Helper()
	parsed, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	config := mysqlConfig(parsed.Host, application)
	config.User, config.Passwd = user, password
	db, err := openMySQL(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// mariaDBHash is what a server keeps of a password.
func mariaDBHash(password string) string {
	once := sha1.Sum([]byte(password))
	return fmt.Sprintf("*%X", sha1.Sum(once[:]))
}

// mariaDBSet has the user app let in by these passwords and no others.
func mariaDBSet(t *testing.T, admin *sql.DB, passwords ...string) {
	t.Helper()
	var by []string
	for _, password := range passwords {
		by = append(by, "mysql_native_password USING '"+mariaDBHash(password)+"'")
	}
	for _, statement := range []string{
		"CREATE USER IF NOT EXISTS app", "GRANT SELECT ON " + contract.MariaDBDatabase + ".* TO app", "ALTER USER app IDENTIFIED VIA " + strings.Join(by, " OR "),
	} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMariaDBTellsEveryLogin: what is decided about a connection is told once, with
// who presented which credential, and what the administration does is not. Whose
// password was shown counts for more than what a client says of it. A session
// that the server ends is told of, and one that its client ends is not.
func TestMariaDBTellsEveryLogin(t *testing.T) {
	at, admin, log := serveMariaDB(t)
	const one, two = "k1.0123456789", "k2.0123456789"
	log.Forbid(one, two)
	mariaDBSet(t, admin, one, two)
	as := func(user, password, application, want string) *sql.DB {
		t.Helper()
		db, got := mariaDBAs(t, at, user, password, application), "taken"
		if err := db.PingContext(t.Context()); err != nil {
			got = err.Error()
			if answered, ok := errors.AsType[*mysql.MySQLError](err); ok {
				got = fmt.Sprint(answered.Number)
			}
		}
		if user == "nobody" && got == mariaDBNoAccess { // it answers for another user, which one depends on the name
			got = mariaDBDenied
		}
		if got != want {
			t.Errorf("%s as %s: got %s, want %s", application, user, got, want)
		}
		return db
	}
	old := as("app", one, "orders/k1", "taken")
	as("app", two, "orders/k2", "taken")
	as("app", "neither", "orders/k3", "1045")
	as("nobody", one, "nightly/k9", "1045")
	mariaDBSet(t, admin, two)
	as("app", one, "nightly/k1", "1045")
	if err := old.PingContext(t.Context()); err != nil {
		t.Errorf("a session whose password is gone: got %v, want it served", err)
	}
	if _, err := admin.ExecContext(t.Context(), "ALTER USER app ACCOUNT LOCK"); err != nil {
		t.Fatal(err)
	}
	as("app", two, "orders/k2", "4151")
	if _, err := admin.ExecContext(t.Context(), "REPLACE INTO "+contract.MariaDBPasswords+" VALUES (?, 'k2')", mariaDBHash(two)); err != nil {
		t.Fatal(err)
	}
	as("app", two, "silent", "4151")
	as("app", two, "liar/k1", "4151")
	if _, err := admin.ExecContext(t.Context(), "ALTER USER app ACCOUNT UNLOCK"); err != nil {
		t.Fatal(err)
	}
	as("app", two, "silent", "taken")
	var entered string
	err := admin.QueryRowContext(t.Context(), "SELECT GROUP_CONCAT(CONCAT(who, ' ', tag) ORDER BY id) FROM "+contract.MariaDBSessions).Scan(&entered)
	if want := "orders k1,orders k2,silent k2"; err != nil || !strings.HasSuffix(entered, want) {
		t.Errorf("the table of sessions: got %q, %v, want it to end in %q", entered, err, want)
	}
	var id int64
	if err := old.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ExecContext(t.Context(), "KILL ?", id); err != nil {
		t.Fatal(err)
	}
	standintest.Eventually(t, "word of a session that was ended", func() bool { return len(log.Lines("ended")) > 0 })

	told := func(message string) (all []string) {
		for _, line := range log.Lines(message) {
			all = append(all, strings.Replace(line.Presenter+" "+line.Identifier+" "+line.Status, "k9 "+mariaDBNoAccess, "k9 "+mariaDBDenied, 1))
		}
		return all
	}
	standintest.WantEqual(t, "accepted", told("accepted"), []string{"orders k1 OK", "orders k2 OK", "silent k2 OK"})
	standintest.WantEqual(t, "refused", told("refused"), []string{"orders k3 1045", "nightly k9 1045", "nightly k1 1045", "orders k2 4151", "silent k2 4151", "liar k2 4151"})
	standintest.WantEqual(t, "ended", told("ended"), []string{"orders k1 1927"})
	if status, body := standintest.Call(t, http.MethodGet, at+contract.StatusPath, "", nil); status != http.StatusOK || !strings.Contains(body, `"served":9`) {
		t.Errorf("its counters: got %d %s, want 9 served", status, body)
	}
}

// TestMariaDBRotates has a querier with a real pool go from one password to the other.
func TestMariaDBRotates(t *testing.T) {
	for _, swaps := range []bool{false, true} {
		t.Run(map[bool]string{false: "one pool", true: "a pool for each login"}[swaps], func(t *testing.T) {
			db, admin, dbLog := serveMariaDB(t)
			const one, two = "k1.0123456789", "k2.0123456789"
			dbLog.Forbid(one, two)
			mariaDBSet(t, admin, one)
			store := standintest.NewStore(t)
			entry := func(tag, password string) map[string]any {
				return map[string]any{"tag": tag, "user": "app", "password": password}
			}
			store.Publish(t, "k1", entry("k1", one))
			orders, log := standintest.Serve(t, ServeQuerier, map[string]any{
				"name": "orders", "database": db, "type": "mariadb", "life": "1h", "pool": 3, "swaps_pool": swaps, "store": store.Config(), "refresh": "10ms",
			})
			log.Forbid(one, two, standintest.StoreToken)
			standintest.AwaitReady(t, orders)
			ask := func(when string, want int) {
				t.Helper()
				if status, body := standintest.Call(t, http.MethodGet, orders+"/", "", nil); status != want {
					t.Errorf("%s: got %d %s, want %d", when, status, body, want)
				}
			}
			renew := func() {
				t.Helper()
				if status, body := standintest.Call(t, http.MethodPost, orders+contract.RenewPath, "", nil); status != http.StatusNoContent {
					t.Fatalf("renew: got %d %s, want 204", status, body)
				}
			}
			ask("before", http.StatusOK)
			mariaDBSet(t, admin, one, two)
			store.Publish(t, "k2", entry("k1", one), entry("k2", two))
			standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
			if !swaps { // its connections live on with the old one
				if lines := log.Lines("presented"); lines[len(lines)-1].Identifier != "k1" {
					t.Errorf("presented before a connection is made anew: got %+v, want k1 only", lines)
				}
				renew()
			}
			ask("with both accepted", http.StatusOK)
			standintest.Eventually(t, "a login with k2", func() bool {
				lines := log.Lines("presented")
				return lines[len(lines)-1].Identifier == "k2"
			})
			mariaDBSet(t, admin, one)
			ask("revoked, with sessions that outlive it", http.StatusOK)
			renew()
			ask("revoked", http.StatusBadGateway)

			// What the consumer presented is what the server answered.
			statuses := func(lines []history.Line) (all []string) {
				for _, line := range lines {
					all = append(all, line.Identifier+" "+line.Status)
				}
				return all
			}
			presented := statuses(log.Lines("presented"))
			standintest.WantEqual(t, "decided at the server", statuses(append(dbLog.Lines("accepted"), dbLog.Lines("refused")...)), presented)
			if last := presented[len(presented)-1]; last != "k2 1045" {
				t.Errorf("the last login: got %s, want k2 1045", last)
			}
		})
	}
}

// TestMariaDBStartsAgain: a server that was killed goes on with what it had.
func TestMariaDBStartsAgain(t *testing.T) {
	requireServer(t, "mariadb")
	config := contract.Database{Kind: "mariadb", Name: "db", Server: contract.Server{AdminPassword: adminPassword, Folder: testFolder()}}
	log := history.NewLogger(standintest.NewLog(t), "db")
	first, err := startMariaDB(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.awaitAnswer(t.Context(), first.version); err != nil {
		t.Fatal(err)
	}
	mariaDBSet(t, mariaDBAs(t, "http://"+first.address, contract.DatabaseAdmin, adminPassword, contract.DatabaseAdmin), "k1.0123456789")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.gone
	second, err := startMariaDB(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.stop(); err != nil {
			t.Error(err)
		}
	})
	if version, err := second.awaitAnswer(context.Background(), second.version); err != nil || !strings.HasPrefix(version, "mariadb 1") {
		t.Fatalf("version: got %q, %v", version, err)
	}
	if err := mariaDBAs(t, "http://"+second.address, "app", "k1.0123456789", "orders/k1").PingContext(t.Context()); err != nil {
		t.Errorf("a login that it had: got %v, want it let in", err)
	}
}
