package fakes

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

func TestMain(m *testing.M) {
	intercept() // before any test uses http.DefaultTransport beside it
	os.Exit(m.Run())
}

// client does not go through http.DefaultTransport.
var client = &http.Client{Transport: &http.Transport{}}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s did not happen", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// logBook is a log that tests can read while it is written.
type logBook struct {
	t      *testing.T
	mu     sync.Mutex
	text   bytes.Buffer
	secret []string
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		l.t.Errorf("one write of the log: got %q, want exactly one line", p)
	}
	return l.text.Write(p)
}

// forbid names values that must not be in the log when the test ends.
func (l *logBook) forbid(values ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secret = append(l.secret, values...)
}

func (l *logBook) lines(message string) []history.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []history.Line
	for line := range bytes.Lines(l.text.Bytes()) {
		parsed, ok := history.ParseLine(bytes.TrimSpace(line))
		if !ok {
			l.t.Errorf("log line cannot be parsed: %s", line)
		}
		if parsed.Message == message {
			found = append(found, parsed)
		}
	}
	return found
}

// identifiers lists those of all lines with a message, in order.
func (l *logBook) identifiers(message string) []string {
	var ids []string
	for _, line := range l.lines(message) {
		ids = append(ids, line.Identifier)
	}
	return ids
}

func (l *logBook) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range l.secret {
		if strings.Contains(l.text.String(), secret) {
			l.t.Errorf("the log holds a secret value: %s…", secret[:min(6, len(secret))])
		}
	}
}

// serve runs a service for the length of a test.
func serve(t *testing.T, s Service, config map[string]any) (url string, log *logBook) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log = &logBook{t: t}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s(ctx, data, listener, log) }()
	t.Cleanup(func() {
		cancel()
		client.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Errorf("service ended: got %v, want no error", err)
		}
		log.check()
	})
	return "http://" + listener.Addr().String(), log
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	eventually(t, "200 of "+url+"/healthz", func() bool {
		status, _ := call(t, http.MethodGet, url+"/healthz", "", nil)
		return status == http.StatusOK
	})
}

// call makes a request with a bearer token, if any, and returns status and body.
func call(t *testing.T, method, url, token string, body io.Reader) (int, string) {
	t.Helper()
	return callAs(t, method, url, token, "test", body)
}

func callAs(t *testing.T, method, url, token, agent string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("User-Agent", agent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func served(t *testing.T, url string) int64 {
	t.Helper()
	_, body := call(t, http.MethodGet, url+"/rehearse/status", "", nil)
	var counters map[string]int64
	if err := json.Unmarshal([]byte(body), &counters); err != nil {
		t.Fatalf("status: got %s: %v", body, err)
	}
	return counters["served"]
}

// testKey is a signing key.
type testKey struct {
	jose.JSONWebKey
	document string // the private JWK
	secret   string // its d member
}

func newKey(t *testing.T, kid, algorithm string) testKey {
	t.Helper()
	var private crypto.Signer
	var err error
	if algorithm == "RS256" {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: algorithm, Use: "sig"}
	document, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members struct {
		D string `json:"d"`
	}
	if err := json.Unmarshal(document, &members); err != nil {
		t.Fatal(err)
	}
	return testKey{key, string(document), members.D}
}

const testIssuer = "http://auth.test"

// token signs a token of client web, good for life.
func (k testKey) token(t *testing.T, issuer string, life time.Duration) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k.JSONWebKey}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(accessClaims{
		Claims: jwt.Claims{Issuer: issuer, Subject: "s1", Audience: jwt.Audience{Audience},
			IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(life))},
		ClientID: "web",
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (k testKey) published() map[string]any {
	return map[string]any{"kid": k.KeyID, "alg": k.Algorithm, "jwk": json.RawMessage(k.document)}
}

// testStore answers reads of one KV v2 path to the holder of one token.
type testStore struct {
	*httptest.Server
	mu      sync.Mutex
	version int
	data    json.RawMessage
}

const storeToken = "s.reader-0123456789"

func newStore(t *testing.T) *testStore {
	s := &testStore{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case r.Header.Get("X-Vault-Token") != storeToken:
			writeJSON(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
		case r.URL.Path != "/v1/secret/data/auth/key" || s.version == 0:
			writeJSON(w, http.StatusNotFound, map[string]any{"errors": []string{}})
		default:
			writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
				"data": s.data, "metadata": map[string]any{"version": s.version}}})
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *testStore) publish(t *testing.T, emit string, keys ...map[string]any) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"emit": emit, "keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.data = data
}

func (s *testStore) config() map[string]any {
	return map[string]any{"url": s.URL, "token": storeToken, "path": "secret/data/auth/key"}
}

func with(config map[string]any, more map[string]any) map[string]any {
	config = maps.Clone(config)
	maps.Copy(config, more)
	return config
}

func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
