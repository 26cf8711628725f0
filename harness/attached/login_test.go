package attached

import (
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// TestRedisWithoutAUser: who names none logs in as default, whose password is requirepass.
func TestRedisWithoutAUser(t *testing.T) {
	for dsn, want := range map[string]string{"redis://:pw@127.0.0.1:1": "default", "redis://shop:pw@127.0.0.1:1": "shop", "unix://shop:pw@/run/redis.sock": "shop"} {
		if got, err := (redisServer{}).user(dsn); got != want || err != nil {
			t.Errorf("%s: got %q and %v, want %q", dsn, got, err, want)
		}
	}
}

// TestStatusOfAPooler: PgBouncer has one code for all that it turns away; only what it says
// of the login itself is a refusal of that.
func TestStatusOfAPooler(t *testing.T) {
	if got := postgresStatus(&pgconn.PgError{Code: "53300", Message: `too many connections for role "shop_a"`}); got != "53300 role limit" {
		t.Errorf("a role with a limit: got %q, want it told from a server without room", got)
	}
	for _, tt := range []struct {
		code, text string
		refused    bool
	}{
		{"28P01", "password authentication failed for user \"shop\"", true},
		{"08P01", "password authentication failed", true},
		{"08P01", "SASL authentication failed", true},
		{"08P01", "no such user: shop", true},
		{"08P01", "server login failed: FATAL password authentication failed for user \"shop\"", false},
		{"08P01", "server login has been failing, try again later (server_login_retry)", false},
		{"08P01", "unsupported startup parameter", false},
		{"53300", "too many connections", false},
	} {
		status := postgresStatus(&pgconn.PgError{Code: tt.code, Message: tt.text})
		if got := (postgresServer{}).refuses(status); got != tt.refused {
			t.Errorf("%s %q is told as %q: refused %v, want %v", tt.code, tt.text, status, got, tt.refused)
		}
	}
}

// TestPostgresWithoutTLS: an address that does not say sslmode is one of sslmode=prefer: a server without TLS, as the
// one of an image is, is logged in to without; and one that refuses a login is asked once.
func TestPostgresWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers pgproto3.BackendMessage
		status  string
	}{
		{"lets in", &pgproto3.ReadyForQuery{TxStatus: 'I'}, ""},
		{"refuses", &pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "password authentication failed"}, "28P01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			logins, done := 0, make(chan struct{})
			go func() {
				defer close(done)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					if withoutTLS(conn, tt.answers) {
						logins++
					}
				}
			}()
			conn, status, err := (postgresServer{}).open(t.Context(), "postgres://shop:x@"+listener.Addr().String()+"/shop")
			if err != nil || status != tt.status || (conn != nil) != (tt.status == "") {
				t.Errorf("got a connection: %v, status %q, error %v; want status %q", conn != nil, status, err, tt.status)
			}
			if conn != nil {
				conn.end(t.Context())
			}
			_ = listener.Close()
			<-done
			if logins != 1 {
				t.Errorf("it logged in %d times, want once", logins)
			}
		})
	}
}

// withoutTLS serves a connection as a server without TLS does, and reports whether a login came.
func withoutTLS(conn net.Conn, answers pgproto3.BackendMessage) (login bool) {
	defer func() { _ = conn.Close() }()
	server := pgproto3.NewBackend(conn, conn)
	message, err := server.ReceiveStartupMessage()
	if err != nil {
		return false
	}
	if _, asksForTLS := message.(*pgproto3.SSLRequest); asksForTLS {
		_, _ = conn.Write([]byte("N"))
		return false
	}
	if _, in := answers.(*pgproto3.ReadyForQuery); in {
		server.Send(&pgproto3.AuthenticationOk{})
	}
	server.Send(answers)
	_ = server.Flush()
	_, _ = server.Receive() // until the client goes
	return true
}
