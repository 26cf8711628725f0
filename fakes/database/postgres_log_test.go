package database

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestParsePostgresLine(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       postgresLine
		ok         bool
		refuses    bool
	}{
		{
			"a wrong password", `28P01|127.0.0.1(52920)|FATAL:  password authentication failed for user "a"`,
			postgresLine{"28P01", "52920", "FATAL", `password authentication failed for user "a"`}, true, true,
		},
		{
			"a role without LOGIN", `28000|127.0.0.1(52970)|FATAL:  role "x" is not permitted to log in`,
			postgresLine{"28000", "52970", "FATAL", `role "x" is not permitted to log in`}, true, true,
		},
		{
			"an end by the administration", `57P01|127.0.0.1(1)|FATAL:  terminating connection due to administrator command`,
			postgresLine{"57P01", "1", "FATAL", "terminating connection due to administrator command"}, true, false,
		},
		{"no client", `00000||LOG:  database system is ready`, postgresLine{"00000", "", "LOG", "database system is ready"}, true, false},
		{"a line that goes on", "\tConnection matched pg_hba.conf line 87", postgresLine{}, false, false},
		{"another program's", "initdb: error", postgresLine{}, false, false},
		{"empty", "", postgresLine{}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parsePostgresLine(tt.line)
			if got != tt.want || ok != tt.ok || got.refuses() != tt.refuses {
				t.Errorf("got %+v, %t, refuses %t, want %+v, %t, %t", got, ok, got.refuses(), tt.want, tt.ok, tt.refuses)
			}
		})
	}
}

func TestStartup(t *testing.T) {
	text := "user\x00orders_k1\x00application_name\x00orders/k1\x00\x00"
	packet := binary.BigEndian.AppendUint32(nil, uint32(8+len(text)))
	packet = append(binary.BigEndian.AppendUint32(packet, 196608), text...)
	settings := startup(packet)
	login := newLogin(settings["user"], settings["application_name"])
	if login.presenter != "orders" || login.identifier != "k1" || login.own {
		t.Errorf("got %+v of %v, want presenter orders with k1", login, settings)
	}
	if l := newLogin("orders_k1", "psql"); l.presenter != "psql" || l.identifier != "orders_k1" {
		t.Errorf("without a tag: got %+v, want the user for one", l)
	}
	if !newLogin("", contract.DatabaseAdmin+"/k1").own {
		t.Error("the administration: got one that counts, want the harness's own")
	}
}

// TestEndIsToldOfWhatIsClosed: that a session was ended is read in the server's
// log after its socket is gone, and is told all the same.
func TestEndIsToldOfWhatIsClosed(t *testing.T) {
	var log bytes.Buffer
	l := newLogins("db", history.NewLogger(&log, "db"))
	ended := postgresLine{state: stateEnded, port: "1", severity: "FATAL", text: "terminating connection"}
	told := func(want string, n int) {
		t.Helper()
		if got := strings.Count(log.String(), `"msg":"ended"`); got != n || !strings.Contains(log.String(), want) {
			t.Errorf("got %s, want %d sessions ended, one of %s", log.String(), n, want)
		}
	}
	first := newLogin("", "orders/k1")
	l.add("1", first)
	first.decide()
	l.close(first)
	l.logged(ended)
	told(`"presenter":"orders"`, 1)

	second := newLogin("", "reports/k1")
	l.add("1", second) // the port is used again
	second.decide()
	l.logged(ended)
	told(`"presenter":"reports"`, 2)

	first.closed = time.Now().Add(-2 * stillTold)
	l.add("2", first)
	l.close(second)
	if l.find("2") != nil || l.find("1") == nil {
		t.Errorf("got %v, want the one dropped that was closed long ago, and no other", l.open)
	}
}

// TestLivedIsToldOfWhatWasInUse: a session is told of that was in use for longer than any
// of its presenter before, and that its client leaves is no use of it.
func TestLivedIsToldOfWhatWasInUse(t *testing.T) {
	var log bytes.Buffer
	l := newLogins("db", history.NewLogger(&log, "db"))
	session := func(in bool, messages ...string) string {
		log.Reset()
		client, server := net.Pipe()
		login := newLogin("", "orders/k1")
		login.in.Store(in)
		go func() {
			defer client.Close()
			for _, m := range messages {
				_, _ = client.Write([]byte(m))
			}
		}()
		if _, err := io.Copy(io.Discard, usageConn{server, login}); err != nil {
			t.Fatal(err)
		}
		if used := login.used.Load(); (used > 0) != (messages[0] != "X\x00\x00\x00\x04") {
			t.Errorf("%q: in use for %d, want use by all but what says that it leaves", messages, used)
		}
		l.lived(login)
		return log.String()
	}
	const asks, leaves = "Q\x00\x00\x00\x0dSELECT 1\x00", "X\x00\x00\x00\x04"
	if got := session(false, asks, leaves); got != "" {
		t.Errorf("not let in: got %q, want nothing", got)
	}
	if got := session(true, leaves); got != "" {
		t.Errorf("never used: got %q, want nothing", got)
	}
	if got := session(true, asks, leaves); !strings.Contains(got, `"msg":"lived"`) || !strings.Contains(got, `"presenter":"orders"`) {
		t.Errorf("used: got %q, want that it lived", got)
	}
	l.longest["orders"] = time.Hour
	if got := session(true, asks, leaves); got != "" {
		t.Errorf("used for less than another: got %q, want nothing", got)
	}
}

// TestDeniedIsToldOncePerSession: a login that was let in and lacks a right is
// told of once of each session, and never of one that was not let in or is the
// harness's own.
func TestDeniedIsToldOncePerSession(t *testing.T) {
	var log bytes.Buffer
	l := newLogins("db", history.NewLogger(&log, "db"))
	denied := postgresLine{state: stateNoRight, port: "1", severity: "ERROR", text: "permission denied for table orders"}
	for _, tt := range []struct {
		name    string
		login   *login
		decided bool
		want    int
	}{
		{"let in", newLogin("orders_k2", "orders/k2"), true, 1},
		{"not decided yet", newLogin("orders_k2", "orders/k2"), false, 0},
		{"the harness", newLogin("", contract.DatabaseAdmin), true, 0},
	} {
		log.Reset()
		l.add("1", tt.login)
		if tt.decided {
			tt.login.decide()
		}
		l.logged(denied)
		l.logged(denied)
		if got := strings.Count(log.String(), `"msg":"denied"`); got != tt.want || tt.want > 0 && !strings.Contains(log.String(), `"user":"orders_k2"`) {
			t.Errorf("%s: got %s, want it told %d times", tt.name, log.String(), tt.want)
		}
	}
}
