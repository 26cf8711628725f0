package jwt

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// testJWKS serves a key set and counts who fetched it.
type testJWKS struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	body   string
	reads  map[string]int // by User-Agent
}

func newJWKS(t *testing.T, keys ...testKey) *testJWKS {
	j := &testJWKS{reads: map[string]int{}}
	j.publish(t, keys...)
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.reads[r.UserAgent()]++
		w.WriteHeader(j.status)
		_, _ = io.WriteString(w, j.body)
	}))
	t.Cleanup(j.Close)
	return j
}

func (j *testJWKS) publish(t *testing.T, keys ...testKey) {
	t.Helper()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	body, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	j.answer(http.StatusOK, string(body))
}

func (j *testJWKS) answer(status int, body string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status, j.body = status, body
}

func (j *testJWKS) fetches() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reads["rehearse-verifier/checkout"]
}

func serveVerifier(t *testing.T, jwks, library string, speed float64) (string, *standintest.Log) {
	t.Helper()
	verifier, log := standintest.Serve(t, ServeVerifier, map[string]any{
		"name": "checkout", "library": library, "jwks": jwks, "issuer": testIssuer, "speed": speed,
	})
	standintest.AwaitReady(t, verifier)
	return verifier, log
}

// show presents a token and returns the status.
func show(t *testing.T, verifier string, log *standintest.Log, token string) int {
	t.Helper()
	log.Forbid(token)
	status, body := standintest.Call(t, http.MethodGet, verifier+"/cart", token, nil)
	if strings.Contains(body, token) {
		t.Errorf("answer %d holds the token", status)
	}
	return status
}

func TestEveryLibraryDecides(t *testing.T) {
	for library := range maps.Keys(libraries) {
		for _, algorithm := range []string{"ES256", "RS256"} {
			t.Run(library+" "+algorithm, func(t *testing.T) {
				t.Parallel()
				key, stranger := newKey(t, "kid-1", algorithm), newKey(t, "kid-1", algorithm)
				good := key.token(t, testIssuer, time.Hour)
				parts := strings.Split(good, ".")
				presentations := []struct {
					name, token string
					want        int
					kid, client string
				}{
					{"good", good, 200, "kid-1", "web"},
					{"another issuer's", key.token(t, "http://other.test", time.Hour), 401, "kid-1", "web"},
					{"expired", key.token(t, testIssuer, -time.Hour), 401, "kid-1", "web"},
					{"signed with another key", stranger.token(t, testIssuer, time.Hour), 401, "kid-1", "web"},
					{"signature cut off", parts[0] + "." + parts[1] + ".", 401, "kid-1", "web"},
					{"header that is no base64", "§." + parts[1] + "." + parts[2], 401, "", "web"},
					{"payload that is no JSON", parts[0] + ".bm90IEpTT04." + parts[2], 401, "kid-1", ""},
					{"no token at all", "rubbish-rubbish", 401, "", ""},
					{"none", "", 401, "", ""},
				}
				jwks := newJWKS(t, key)
				verifier, log := serveVerifier(t, jwks.URL, library, 1)
				for n, p := range presentations {
					if p.token == "" {
						if status, _ := standintest.Call(t, http.MethodGet, verifier, "", nil); status != p.want {
							t.Errorf("%s: got %d, want %d", p.name, status, p.want)
						}
					} else if got := show(t, verifier, log, p.token); got != p.want {
						t.Errorf("%s: got %d, want %d", p.name, got, p.want)
					}
					refused := log.Lines("refused")
					if p.want == 200 {
						if line := log.Lines("accepted")[0]; line.Identifier != p.kid || line.Presenter != p.client || line.Status != "200" {
							t.Errorf("%s: got accepted %+v, want %s of %s", p.name, line, p.kid, p.client)
						}
						continue
					}
					if len(refused) != n {
						t.Fatalf("%s: got %d lines refused, want %d", p.name, len(refused), n)
					}
					if line := refused[n-1]; line.Identifier != p.kid || line.Presenter != p.client || line.Status != "401" || line.Detail == "" {
						t.Errorf("%s: got refused %+v, want %q of %q with a reason", p.name, line, p.kid, p.client)
					}
				}
				if n := standintest.Served(t, verifier); n != int64(len(presentations)) {
					t.Errorf("served: got %d, want %d", n, len(presentations))
				}
				standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"kid-1"})
				if details := log.Lines("service"); len(details) != 1 || !strings.HasPrefix(details[0].Detail, library) {
					t.Errorf("service: got %+v, want one line with the settings of %s", details, library)
				}
			})
		}
	}
}

// TestEveryLibraryTakesEveryAlgorithm: each takes what is signed with the key that was
// published for it, by the issuer that a rehearsal runs, and refuses another's.
func TestEveryLibraryTakesEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range contract.SignatureAlgorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			key, others := newKey(t, "kid-1", algorithm), newKey(t, "kid-1", algorithm)
			for _, library := range []string{"go-oidc", "jwx", "keyfunc", "single-key", "static"} {
				jwks := newJWKS(t)
				jwks.publish(t, key)
				verifier, log := standintest.Serve(t, ServeVerifier, map[string]any{"name": "checkout", "library": library, "jwks": jwks.URL, "issuer": testIssuer})
				standintest.AwaitReady(t, verifier)
				if got := show(t, verifier, log, key.token(t, testIssuer, time.Hour)); got != 200 {
					t.Errorf("%s: got %d for its key, want 200", library, got)
				}
				if got := show(t, verifier, log, others.token(t, testIssuer, time.Hour)); got != 401 {
					t.Errorf("%s: got %d for the key of another, want 401", library, got)
				}
			}
		})
	}
}

func TestVerifierWaitsForKeys(t *testing.T) {
	t.Parallel()
	key := newKey(t, "kid-1", "ES256")
	jwks := newJWKS(t)
	verifier, log := standintest.Serve(t, ServeVerifier, map[string]any{"name": "checkout", "library": "keyfunc", "jwks": jwks.URL, "issuer": testIssuer})
	standintest.Eventually(t, "a word on the empty set", func() bool {
		status, body := standintest.Call(t, http.MethodGet, verifier+"/healthz", "", nil)
		return status == http.StatusServiceUnavailable && strings.Contains(body, "is empty")
	})
	if status, _ := standintest.Call(t, http.MethodGet, verifier, "token", nil); status != http.StatusServiceUnavailable {
		t.Errorf("request before the keys are there: got %d, want 503", status)
	}
	if n := jwks.fetches(); n != 0 {
		t.Errorf("fetches by the library before the keys are there: got %d, want 0", n)
	}
	jwks.publish(t, key)
	standintest.AwaitReady(t, verifier)
	if got := show(t, verifier, log, key.token(t, testIssuer, time.Hour)); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
	if n := standintest.Served(t, verifier); n != 2 {
		t.Errorf("served: got %d, want 2: the decision, and the answer before the keys were there", n)
	}
	if lines := log.Lines("undecided"); len(lines) != 1 {
		t.Errorf("undecided answers in the log: got %d, want 1", len(lines))
	}
}

// tellingLibrary refuses with the token in its text.
type tellingLibrary struct{}

func (tellingLibrary) Verify(_ context.Context, raw string) (string, error) {
	return "", errors.New("cannot parse " + raw)
}

func (tellingLibrary) Keeps(fetched []string) []string { return fetched }

func (tellingLibrary) Close() error { return nil }

func TestReasonsDoNotCarryTheToken(t *testing.T) {
	log := standintest.NewLog(t)
	var lib library = tellingLibrary{}
	v := &verifier{log: slog.New(slog.NewJSONHandler(log, nil))}
	v.library.Store(&lib)
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Authorization", "Bearer top.secret.token")
	v.check(recorder, request)
	log.Forbid("top.secret.token")
	log.Check()
	if body := recorder.Body.String(); !strings.Contains(body, "cannot parse [token]") {
		t.Errorf("answer: got %s, want the reason without the token", body)
	}
}
