package attached

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
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
