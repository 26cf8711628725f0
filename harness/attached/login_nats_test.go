package attached

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
)

// natsThatSays is a server that answers each login by a line, and each PING after that; none: it ends the connection.
func natsThatSays(t *testing.T, answer string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(conn, "INFO {\"server_id\":\"x\",\"max_payload\":1024,\"proto\":1,\"auth_required\":true,\"connect_urls\":[\"192.0.2.1:4222\"]}\r\n")
			for lines := bufio.NewScanner(conn); lines.Scan() && answer != ""; {
				if lines.Text() == "PING" {
					_, _ = fmt.Fprintf(conn, "%s\r\n", answer)
				}
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// TestNATSLogin: what a server says to a login, and to one that was let in.
func TestNATSLogin(t *testing.T) {
	for answer, want := range map[string]string{
		"-ERR 'Authorization Violation'":                     natsRefused,
		"-ERR 'maximum connections exceeded'":                "maximum connections exceeded",
		"-ERR 'maximum account active connections exceeded'": natsNoRoom,
		"-ERR 'Something that nobody has said before, ever'": noAnswer,
		"": noAnswer,
	} {
		conn, status, err := natsServer{}.open(t.Context(), "nats://one:p%40ss@"+natsThatSays(t, answer))
		if conn != nil || status != want || err != nil {
			t.Errorf("%q: got %v, %q and %v, want %q", answer, conn, status, err, want)
		}
	}
	conn, status, err := natsServer{}.open(t.Context(), "nats://one:p%40ss@"+natsThatSays(t, "PONG"))
	if conn == nil || status != "" || err != nil {
		t.Fatalf("got %q and %v, want to be let in", status, err)
	}
	asking, cancel := context.WithTimeout(t.Context(), loginTimeout)
	defer cancel()
	if err := conn.served(asking); err != nil {
		t.Errorf("one that is let in is not served: %v", err)
	}
	conn.end(t.Context())
	if err := conn.served(asking); err == nil {
		t.Error("one that has ended is served")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := (natsServer{}).open(cancelled, "nats://one:secret@127.0.0.1:1"); err == nil {
		t.Error("a probe that is cancelled has an outcome")
	}
	for dsn, want := range map[string]string{"nats://a%40b:c@mq:4222": "a@b", "nats://mq": "", "nats://a:b@mq:x%": ""} {
		if user, err := (natsServer{}).user(dsn); user != want || err != nil && strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: got %q and %v, want %q", dsn, user, err, want)
		}
	}
}
