package contract

import (
	"encoding/base64"
	"net/http"
	"testing"
)

func TestCallKey(t *testing.T) {
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, tt := range []struct{ says, name, value, want string }{
		{"", "Authorization", "Bearer k/1 2", "k/1 2"},
		{"", "Authorization", "Token k1", ""},
		{"X-Api-Key", "X-Api-Key", "k 1", "k 1"},
		{"X-Api-Key", "Authorization", "Bearer k1", ""},
		{"Authorization: Token", "Authorization", "token k1", "k1"},
		{"Authorization: Basic", "Authorization", basic("k1:"), "k1"},
		{"Authorization: Basic", "Authorization", basic(":k1"), "k1"},
		{"Authorization: Basic", "Authorization", "Basic %", ""},
		{"Cookie: session=", "Cookie", "lang=de; session=k1; theme=dark", "k1"},
		{"Cookie: session=", "Cookie", "old-session=k1", ""},
	} {
		if got := (Call{Header: tt.says}).Key(&http.Request{Header: http.Header{tt.name: {tt.value}}}); got != tt.want {
			t.Errorf("%q, %s: %s: got %q, want %q", tt.says, tt.name, tt.value, got, tt.want)
		}
	}
}

// TestPresentIsReadAsAKey: what one presents the other reads, in every way to say it.
func TestPresentIsReadAsAKey(t *testing.T) {
	for says, want := range map[string]string{
		"":                     "Authorization: Bearer k1",
		"X-Api-Key":            "X-Api-Key: k1",
		"Authorization: Token": "Authorization: Token k1",
		"Authorization: Basic": "Authorization: Basic azE6",
		"Cookie: session=":     "Cookie: session=k1",
	} {
		r := &http.Request{Header: http.Header{}}
		Present(r.Header, says, "k1")
		for name, values := range r.Header {
			if got := name + ": " + values[0]; got != want {
				t.Errorf("%q: got %s, want %s", says, got, want)
			}
		}
		if got := (Call{Header: says}).Key(r); got != "k1" {
			t.Errorf("%q: read as %q", says, got)
		}
	}
}
