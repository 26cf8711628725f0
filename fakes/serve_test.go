package fakes

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// ends waits for Run to return.
func ends(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("still serving after %s", patience)
		return nil
	}
}

func TestRunEndsWithItsLifeline(t *testing.T) {
	stdin, harness := io.Pipe()
	listening := make(chan net.Addr, 1)
	service := func(ctx context.Context, config []byte, l net.Listener, log io.Writer) error {
		listening <- l.Addr()
		return ServeProvider(ctx, config, l, log)
	}
	process := Process{
		Getenv: environment(ListenVariable, "127.0.0.1:0", LifelineVariable, "stdin"),
		Stdin:  stdin, Stdout: &logBook{t: t},
	}
	done := make(chan error, 1)
	go func() {
		done <- process.Run(context.Background(), service, []byte(`{"name": "pay", "account": "a", "admin_token": "t"}`))
	}()
	url := "http://" + (<-listening).String()
	awaitReady(t, url)
	client.CloseIdleConnections()
	if err := harness.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ends(t, done); err != nil {
		t.Errorf("after the end of stdin: got %v, want no error", err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		t.Errorf("after the end of stdin: %s still accepts", url)
	}
}

func TestRunRefusesItsSurroundings(t *testing.T) {
	tests := []struct {
		name        string
		environment []string
		want        string
	}{
		{"unknown lifeline", []string{LifelineVariable, "pipe"}, `"pipe" is not known, only stdin is`},
		{"descriptor that is no number", []string{ListenFDVariable, "three"}, "read REHEARSE_LISTEN_FD"},
		{"descriptor that is not open", []string{ListenFDVariable, "9999"}, "listen on inherited descriptor 9999"},
		{"address that is none", []string{ListenVariable, "nowhere"}, "listen: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			process := Process{Getenv: environment(tt.environment...), Stdin: strings.NewReader(""), Stdout: io.Discard}
			err := process.Run(t.Context(), func(context.Context, []byte, net.Listener, io.Writer) error {
				return errors.New("it served")
			}, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

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
		{"duration of another type", "issuer", `{"refresh": true}`, []string{"want a string such as"}},
		{"no refresh", "issuer", `{"name": "a", "issuer": "http://a", ` + store + `}`, []string{"refresh must be longer than 0 unless pinned"}},
		{"unknown library", "verifier", `{"name": "v", "library": "jose", "jwks": "http://a", "issuer": "i"}`,
			[]string{`library "jose" is not known, want one of go-oidc, jwx, keyfunc, single-key, static`}},
		{"backward speed", "verifier", `{"name": "v", "library": "jwx", "jwks": "http://a", "issuer": "i", "speed": -1}`,
			[]string{"speed is -1, want more than 0"}},
		{"negative ttl", "cache", `{"name": "c", "of": "http://o", "ttl": "-1s"}`, []string{"ttl is -1s, want at least 0"}},
		{"relative origin", "cache", `{"name": "c", "of": "auth"}`, []string{`of is "auth", want an absolute URL`}},
		{"no slots", "provider", `{"name": "p", "account": "a", "admin_token": "t", "keys": -1}`, []string{"keys is -1, want at least 1"}},
		{"nameless charger", "charger", `{"provider": "http://p", "refresh": 1000000000, ` + store + `}`, []string{"check configuration: name is missing"}},
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

func TestHealthSaysWhatIsWaitedFor(t *testing.T) {
	store := newStore(t)
	url, log := serve(t, ServeIssuer, map[string]any{"name": "auth", "issuer": testIssuer, "store": store.config(), "refresh": "1h"})
	eventually(t, "the first failed read", func() bool { return len(log.lines("fetch-failed")) == 1 })
	status, body := call(t, http.MethodGet, url+"/healthz", "", nil)
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "secret/data/auth/key") || !strings.Contains(body, "404") {
		t.Errorf("before anything is published: got %d %s, want 503 with the path and the last answer", status, body)
	}
	if status, _ := call(t, http.MethodGet, url+"/.well-known/jwks.json", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("key set before anything is published: got %d, want 503", status)
	}
	key := newKey(t, "k1", "ES256")
	store.publish(t, "k1", key.published())
	awaitReady(t, url)
	if n := len(log.lines("fetch-failed")); n != 1 {
		t.Errorf("the same failure again and again: got %d lines, want 1", n)
	}
}
