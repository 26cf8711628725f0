package database

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/server"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func array(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	return b.String()
}

func TestRedisFirstCommand(t *testing.T) {
	tests := []struct {
		name, sent, presenter, identifier string
	}{
		{"as go-redis says hello", array("HELLO", "3", "auth", "app", "k2.secret", "setname", "orders"), "orders", "k2"},
		{"AUTH of a user", array("AUTH", "app", "k1.secret"), "", "k1"},
		{"a password without a tag", array("HELLO", "3", "AUTH", "app", "secret"), "", ""},
		{"no password at all", array("PING"), "", ""},
		{"AUTH without anything", array("AUTH"), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw, words, err := firstCommand(bufio.NewReader(strings.NewReader(tt.sent + "*1\r\n")))
			if err != nil || string(raw) != tt.sent {
				t.Fatalf("got %q, %v, want what was sent and nothing of what follows", raw, err)
			}
			if l := redisLogin(words); l.presenter != tt.presenter || l.identifier != tt.identifier {
				t.Errorf("got presenter %q with %q, want %q with %q", l.presenter, l.identifier, tt.presenter, tt.identifier)
			}
		})
	}
	for name, sent := range map[string]string{
		"nothing": "", "no array": "+OK\r\n", "no number": "*x\r\n", "cut off": "*1\r\n$4\r\nPI", "too many words": "*99\r\n",
		"too long a word": "*1\r\n$999999\r\n", "an empty line": "\n",
	} {
		t.Run(name, func(t *testing.T) {
			if raw, _, err := firstCommand(bufio.NewReader(strings.NewReader(sent))); err == nil {
				t.Errorf("got %q, want an error", raw)
			}
		})
	}
}

func TestRedisAnswers(t *testing.T) {
	tests := []struct{ line, message, status string }{
		{"%7\r\n", history.MessageAccepted, "OK"},
		{"+OK\r\n", history.MessageAccepted, "OK"},
		{"-WRONGPASS invalid username-password pair or user is disabled.\r\n", history.MessageRefused, "WRONGPASS"},
		{"-NOAUTH Authentication required.\r\n", history.MessageRefused, "NOAUTH"},
		{"-NOPERM this user has no permissions to run it\r\n", history.MessageUndecided, "NOPERM"},
		{"-ERR unknown command 'HELLO', with args beginning with: 'k1.secret'\r\n", history.MessageUndecided, "ERR"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			log := standintest.NewLog(t)
			log.Forbid("k1.secret")
			logins := newLogins("cache", history.NewLogger(log, "cache"))
			login := newLogin("k1", "orders")
			logins.answered(login, tt.line)
			logins.answered(login, "+OK\r\n") // it was decided before
			lines := log.Lines(tt.message)
			if len(lines) != 1 || lines[0].Status != tt.status || lines[0].Identifier != "k1" || lines[0].Presenter != "orders" {
				t.Errorf("got %+v, want one with status %s of orders with k1", lines, tt.status)
			}
			if got := logins.counters()["served"]; got != 1 {
				t.Errorf("served: got %d, want 1", got)
			}
			log.Check()
		})
	}
}

// TestRedisRotates has a real server take two passwords of one user, and a
// querier with a real pool go from one to the other.
func TestRedisRotates(t *testing.T) {
	if _, err := server.Programs["redis"].Find(); err != nil {
		if server.Programs["redis"].Required() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	one, two, root := "k1.0123456789", "k2.0123456789", "root-0123456789"
	db, dbLog := standintest.Serve(t, ServeRedis, map[string]any{"name": "db", "admin_password": root, "folder": "rehearse-test-" + t.Name()})
	dbLog.Forbid(one, two, root)
	standintest.AwaitReady(t, db)
	at, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	admin := redis.NewClient(&redis.Options{Addr: at.Host, Username: contract.DatabaseAdmin, Password: root, ClientName: contract.DatabaseAdmin, DisableIdentity: true})
	t.Cleanup(func() { _ = admin.Close() })
	set := func(rules ...any) {
		t.Helper()
		if err := admin.Do(context.Background(), append([]any{"ACL", "SETUSER", "app"}, rules...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	hash := func(password string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(password))) }
	set("on", "~*", "+@read", "+@connection", "#"+hash(one))

	store := standintest.NewStore(t)
	entry := func(tag, password string) map[string]any {
		return map[string]any{"tag": tag, "user": "app", "password": password}
	}
	store.Publish(t, "k1", entry("k1", one))
	orders, log := standintest.Serve(t, ServeQuerier, map[string]any{
		"name": "orders", "database": db, "type": "redis", "life": "1h", "pool": 10, "store": store.Config(), "refresh": "10ms",
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
		if status, body := standintest.Call(t, http.MethodPost, orders+"/rehearse/renew", "", nil); status != http.StatusNoContent {
			t.Fatalf("renew: got %d %s, want 204", status, body)
		}
	}
	ask("before", http.StatusOK)
	set("#" + hash(two))
	store.Publish(t, "k2", entry("k1", one), entry("k2", two))
	standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
	renew()
	ask("with both accepted", http.StatusOK)
	set("!" + hash(two))
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
	decided := statuses(append(dbLog.Lines("accepted"), dbLog.Lines("refused")...))
	standintest.WantEqual(t, "decided at the server", decided, presented)
	if last := presented[len(presented)-1]; last != "k2 WRONGPASS" {
		t.Errorf("the last login: got %s, want k2 WRONGPASS", last)
	}
	if refused := dbLog.Lines("refused"); len(refused) == 0 || refused[0].Presenter != "orders" {
		t.Errorf("refused: got %+v, want logins of orders", refused)
	}
	// Its ACL LOG knows of the refusals too, by the user.
	entries, err := admin.ACLLog(context.Background(), 10).Result()
	if err != nil || len(entries) == 0 || entries[0].Reason != "auth" || entries[0].Username != "app" {
		t.Errorf("ACL LOG: got %v, %v, want a refusal of app", entries, err)
	}
}

// TestRedisEndsSessions: a session that the server ends is told of, and one that its
// client leaves is not.
func TestRedisEndsSessions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		leaves bool
		want   int
	}{{"the server ends it", false, 1}, {"the client leaves", true, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				asked := make([]byte, 1024)
				_, _ = conn.Read(asked)
				_, _ = conn.Write([]byte("+OK\r\n"))
				if tt.leaves {
					_, _ = conn.Read(asked) // until the client's end comes through
				}
			}()
			var log bytes.Buffer
			l := newLogins("db", history.NewLogger(&log, "db"))
			client, inside := net.Pipe()
			relayed := make(chan error)
			go func() { relayed <- l.relayRedis(inside, listener.Addr().String()) }()
			_, _ = client.Write([]byte("*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$4\r\nk1.x\r\n"))
			answer := make([]byte, 5)
			if _, err := io.ReadFull(client, answer); err != nil {
				t.Fatal(err)
			}
			if tt.leaves {
				client.Close()
			}
			<-relayed
			if got := strings.Count(log.String(), `"msg":"ended"`); got != tt.want {
				t.Errorf("got %s, want %d sessions ended", log.String(), tt.want)
			}
		})
	}
}
