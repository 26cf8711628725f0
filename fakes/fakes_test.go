package fakes

import (
	"io"
	"net"
	"strings"
	"testing"
)

func TestConfigurationIsStrict(t *testing.T) {
	store := `"store": {"url": "http://store", "token": "t", "path": "p"}`
	tests := []struct {
		name, service, config string
		want                  []string
	}{
		{"empty", "issuer", " ", []string{"parse configuration: it is empty"}},
		{"not JSON", "cache", "ttl: 1s", []string{"parse configuration: "}},
		{"unknown field", "verifier", `{"libary": "jwx"}`, []string{`parse configuration: json: unknown field "libary"`}},
		{"two documents", "cache", `{"name": "c", "of": "http://o"} {}`, []string{"something follows the document"}},
		{"all missing fields at once", "issuer", `{"refresh": "1s", "store": {}}`,
			[]string{"name is missing", "issuer is missing", "store.url is missing", "store.token is missing", "store.path is missing"}},
		{"duration without a unit", "issuer", `{"refresh": "5 bananas"}`, []string{"parse duration", "5 bananas"}},
		{"duration of another type", "issuer", `{"refresh": true}`, []string{"parse configuration: json: cannot unmarshal"}},
		{"no refresh", "issuer", `{"name": "a", "issuer": "http://a", ` + store + `}`, []string{"refresh must be longer than 0 unless pinned"}},
		{"unknown library", "verifier", `{"name": "v", "library": "jose", "jwks": "http://a", "issuer": "i"}`,
			[]string{`library "jose" is not known, want one of go-oidc, jwx, keyfunc, single-key, static`}},
		{"backward speed", "verifier", `{"name": "v", "library": "jwx", "jwks": "http://a", "issuer": "i", "speed": -1}`,
			[]string{"speed is -1, want more than 0"}},
		{"negative ttl", "cache", `{"name": "c", "of": "http://o", "ttl": "-1s"}`, []string{"ttl is -1s, want at least 0"}},
		{"relative origin", "cache", `{"name": "c", "of": "auth"}`, []string{`of is "auth", want an absolute URL`}},
		{"nameless charger", "charger", `{"provider": "http://p", "refresh": "1s", ` + store + `}`, []string{"check configuration: name is missing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			err = Services[tt.service](t.Context(), []byte(tt.config), listener, io.Discard)
			if err == nil {
				t.Fatalf("got no error, want %q", tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got error %q, want %q in it", err, want)
				}
			}
		})
	}
}
