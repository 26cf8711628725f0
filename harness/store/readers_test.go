package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/store"
)

// TestAuditSaysWhoReads does the same to both servers, whose audit lines must
// then say the same.
func TestAuditSaysWhoReads(t *testing.T) {
	const value = "a-value-that-no-log-may-show"
	onEach(t, func(t *testing.T, s server) {
		st := open(t, s, "r1")
		if err := st.EnableAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Put(t.Context(), "auth/key", map[string]any{"value": value}, 0); err != nil {
			t.Fatal(err)
		}
		var tokens []string
		for _, name := range []string{"checkout", "search-2"} {
			token, err := st.Token(t.Context(), name, "auth/key", "auth/missing")
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, token)
			for _, path := range []string{"auth/key", "auth/missing", "auth/forbidden"} {
				send(t, s, exchange{Method: "GET", Path: "rehearse-r1/data/" + path, Token: token})
			}
		}
		want := []string{
			"checkout read rehearse-r1/data/auth/key", "checkout read rehearse-r1/data/auth/missing",
			"search-2 read rehearse-r1/data/auth/key", "search-2 read rehearse-r1/data/auth/missing",
		}
		eventually(t, "all reads are in the log", func() bool { return len(reads(s)) >= len(want) })
		if got := reads(s); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		for _, secret := range append(tokens, value, s.root) {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("the log shows a value or a token")
			}
		}
	})
}

// reads are what ReadLine finds in a server's log.
func reads(s server) []string {
	var all []string
	for line := range strings.Lines(s.log.String()) {
		if reader, path, operation, ok := store.ReadLine([]byte(line)); ok {
			all = append(all, fmt.Sprint(reader, " ", operation, " ", path))
		}
	}
	return all
}

func TestReadLine(t *testing.T) {
	tests := []struct {
		name, line string
		want       bool
	}{
		{"answer", `{"type":"response","auth":{"display_name":"token-checkout"},"request":{"operation":"read","path":"m/data/a"}}`, true},
		{"request", `{"type":"request","auth":{"display_name":"token-checkout"},"request":{"operation":"read","path":"m/data/a"}}`, false},
		{"refused", `{"type":"response","error":"permission denied","auth":{"display_name":"token-checkout"},"request":{"operation":"read","path":"m/data/a"}}`, false},
		{"by the harness", `{"type":"response","auth":{"display_name":"root"},"request":{"operation":"read","path":"m/data/a"}}`, false},
		{"without a token", `{"type":"response","request":{"operation":"read","path":"m/data/a"}}`, false},
		{"text", `2026-01-01T00:00:00Z [INFO]  core: vault is unsealed`, false},
		{"cut off", `{"type":"response","auth":{"display_name":"token-check`, false},
		{"empty", ``, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader, path, operation, ok := store.ReadLine([]byte(test.line))
			if ok != test.want {
				t.Fatalf("got %t, want %t", ok, test.want)
			}
			if ok && (reader != "checkout" || path != "m/data/a" || operation != "read") {
				t.Errorf("got %q %q %q, want checkout m/data/a read", reader, path, operation)
			}
		})
	}
}
