package jwt

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// testOrigin answers with its count, and wants not to be cached.
type testOrigin struct {
	mu     sync.Mutex
	status int
	seen   []*http.Request
}

func (o *testOrigin) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, req)
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Cache-Control", "no-store")
	recorder.WriteHeader(o.status)
	_, _ = recorder.WriteString(strings.Repeat("x", len(o.seen)))
	return recorder.Result(), nil
}

func (o *testOrigin) reads() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.seen)
}

type cacheBench struct {
	t      *testing.T
	cache  *sharedCache
	origin *testOrigin
	log    *standintest.Log
	now    time.Time
}

func newCacheBench(t *testing.T) *cacheBench {
	b := &cacheBench{t: t, origin: &testOrigin{status: http.StatusOK}, log: standintest.NewLog(t), now: time.Unix(1_000_000, 0)}
	b.cache = newSharedCache("edge", b.origin, slog.New(slog.NewJSONHandler(b.log, nil)), func() time.Time { return b.now })
	b.cache.on(10 * time.Second)
	return b
}

func (b *cacheBench) do(method, path string, header http.Header) (*http.Response, string) {
	b.t.Helper()
	req := httptest.NewRequest(method, "http://auth.test"+path, nil)
	for name := range header {
		req.Header.Set(name, header.Get(name))
	}
	resp, err := b.cache.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(body)
}

func TestCacheKeepsForItsTTLWhateverTheHeadersSay(t *testing.T) {
	b := newCacheBench(t)
	for _, step := range []struct {
		at        time.Duration
		body, age string
		detail    string
	}{
		{0, "x", "0", "miss"},
		{1500 * time.Millisecond, "x", "1", "hit"},
		{9999 * time.Millisecond, "x", "9", "hit"},
		{10 * time.Second, "xx", "0", "miss"},
		{19 * time.Second, "xx", "9", "hit"},
	} {
		b.now = time.Unix(1_000_000, 0).Add(step.at)
		resp, body := b.do(http.MethodGet, "/.well-known/jwks.json", http.Header{"Cache-Control": {"no-cache"}, "User-Agent": {"rehearse-verifier/cart"}})
		if body != step.body || resp.Header.Get("Age") != step.age || resp.Header.Get("Via") != "1.1 edge" {
			t.Errorf("at %s: got %q, Age %s, Via %s, want %q, Age %s, Via 1.1 edge",
				step.at, body, resp.Header.Get("Age"), resp.Header.Get("Via"), step.body, step.age)
		}
		lines := b.log.Lines("read")
		if last := lines[len(lines)-1]; last.Detail != step.detail || last.Reader != "rehearse-verifier/cart" || last.What != "/.well-known/jwks.json" {
			t.Errorf("at %s: got %+v, want a %s by rehearse-verifier/cart", step.at, last, step.detail)
		}
	}
	if agent := b.origin.seen[0].UserAgent(); agent != "rehearse-cache/edge" {
		t.Errorf("User-Agent at the origin: got %s, want rehearse-cache/edge", agent)
	}
}

func TestCacheDoesNotKeep(t *testing.T) {
	tests := []struct {
		name, method string
		status       int
		header       http.Header
	}{
		{"errors", http.MethodGet, http.StatusServiceUnavailable, nil},
		{"redirects", http.MethodGet, http.StatusFound, nil},
		{"other methods", http.MethodPost, http.StatusOK, nil},
		{"requests with credentials", http.MethodGet, http.StatusOK, http.Header{"Authorization": {"Bearer x"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newCacheBench(t)
			b.origin.status = tt.status
			for range 2 {
				if resp, _ := b.do(tt.method, "/", tt.header); resp.StatusCode != tt.status {
					t.Errorf("status: got %d, want %d", resp.StatusCode, tt.status)
				}
			}
			if n := b.origin.reads(); n != 2 {
				t.Errorf("requests at the origin: got %d, want 2", n)
			}
		})
	}
}

func TestCacheTellsAddressesApart(t *testing.T) {
	b := newCacheBench(t)
	for _, path := range []string{"/a", "/b", "/a?x=1", "/a"} {
		b.do(http.MethodGet, path, nil)
	}
	if n := b.origin.reads(); n != 3 {
		t.Errorf("requests at the origin for three addresses: got %d, want 3", n)
	}
}

func TestCacheFillsOnceForManyReaders(t *testing.T) {
	b := newCacheBench(t)
	release := make(chan struct{})
	inner := b.cache.origin
	b.cache.origin = roundTripper(func(req *http.Request) (*http.Response, error) {
		<-release
		return inner.RoundTrip(req)
	})
	var readers sync.WaitGroup
	for range 10 {
		readers.Go(func() {
			if _, body := b.do(http.MethodGet, "/", nil); body != "x" {
				t.Errorf("body: got %q, want that of the first answer", body)
			}
		})
	}
	close(release)
	readers.Wait()
	if n := b.origin.reads(); n != 1 {
		t.Errorf("requests at the origin: got %d, want 1", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	b := newCacheBench(t)
	for n := range cacheEntries + 10 {
		b.do(http.MethodGet, "/"+strings.Repeat("y", n), nil)
	}
	if n := len(b.cache.memory.Load().entries); n != cacheEntries {
		t.Errorf("entries: got %d, want %d", n, cacheEntries)
	}
}

// A verifier behind a cache learns no sooner than the cache, however often it
// fetches; and it is the cache that it says it fetched from.
func TestVerifierBehindACache(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", k1.published())
	issuer, issuerLog := serveIssuer(t, store, nil)
	standintest.AwaitReady(t, issuer)
	edge, edgeLog := standintest.Serve(t, ServeCache, map[string]any{"name": "edge", "of": issuer, "ttl": "1s"})
	verifier, log := serveVerifier(t, edge+"/.well-known/jwks.json", "go-oidc", 1)
	if got := show(t, verifier, log, mint(t, issuer, "1h").AccessToken); got != 200 {
		t.Fatalf("known kid: got %d, want 200", got)
	}
	store.Publish(t, "kid-2", k1.published(), k2.published())
	standintest.Eventually(t, "the switch", func() bool { return len(issuerLog.Lines("emitting")) == 2 })
	token := mint(t, issuer, "1h").AccessToken
	standintest.Eventually(t, "learning through the cache", func() bool { return show(t, verifier, log, token) == 200 })
	if n := len(log.Lines("refused")); n == 0 {
		t.Error("refused while the cache was stale: got none, want some")
	}
	for _, line := range log.Lines("fetched") {
		if line.From != "edge" {
			t.Errorf("fetched from: got %s, want edge", line.From)
		}
	}
	for _, line := range issuerLog.Lines("read") {
		if line.Reader != "rehearse-cache/edge" {
			t.Errorf("reader at the issuer: got %s, want the cache only", line.Reader)
		}
	}
	if n := len(edgeLog.Lines("read")); n < 3 {
		t.Errorf("reads at the cache: got %d, want at least 3", n)
	}
}

// A cache that is off is as if it were not there; switched on again it has
// nothing of what it kept before.
func TestCacheThatIsSwitched(t *testing.T) {
	b := newCacheBench(t)
	for _, step := range []struct{ order, body, via, age string }{
		{"", "x", "", ""}, {"", "xx", "", ""},
		{"10s", "xxx", "1.1 edge", "0"}, {"10s", "xxx", "1.1 edge", "0"},
		{"", "xxxx", "", ""},
		{"10s", "xxxxx", "1.1 edge", "0"},
	} {
		if on := b.cache.memory.Load() != nil; on != (step.order != "") {
			b.cache.switched(contract.OrderKeep, step.order)
		}
		resp, body := b.do(http.MethodGet, "/", http.Header{"User-Agent": {"rehearse-verifier/cart"}})
		if body != step.body || resp.Header.Get("Via") != step.via || resp.Header.Get("Age") != step.age {
			t.Errorf("ordered %q: got %s, Via %q, Age %q, want %s, Via %q, Age %q",
				step.order, body, resp.Header.Get("Via"), resp.Header.Get("Age"), step.body, step.via, step.age)
		}
	}
	if agent := b.origin.seen[0].UserAgent(); agent != "rehearse-verifier/cart" {
		t.Errorf("User-Agent at the origin while it is off: got %s, want the reader's", agent)
	}
}

// What a fetch brings that was under way when the cache was switched off is not
// answered with when it is switched on again.
func TestCacheKeepsNothingFromBefore(t *testing.T) {
	b := newCacheBench(t)
	before := b.cache.memory.Load()
	b.cache.off()
	if _, err := b.cache.fill(httptest.NewRequest(http.MethodGet, "http://auth.test/", nil), before); err != nil {
		t.Fatal(err)
	}
	b.cache.on(10 * time.Second)
	if _, body := b.do(http.MethodGet, "/", nil); body != "xx" {
		t.Errorf("got %s, want what the origin answers now", body)
	}
}

func TestCacheTakesOrders(t *testing.T) {
	t.Parallel()
	origin := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer origin.Close()
	edge, _ := standintest.Serve(t, ServeCache, map[string]any{"name": "edge", "of": origin.URL, "disturb": "token"})
	for _, tt := range []struct {
		name, method, query, token, body string
		status                           int
		on                               bool // afterwards
	}{
		{"without the token", http.MethodPost, "", "", `{"kind":"keep","value":"1m"}`, http.StatusUnauthorized, false},
		{"without a time", http.MethodPost, "", "token", `{"kind":"keep","value":"0s"}`, http.StatusBadRequest, false},
		{"on", http.MethodPost, "", "token", `{"kind":"keep","value":"1m"}`, http.StatusNoContent, true},
		{"off", http.MethodDelete, "?kind=keep", "token", "", http.StatusNoContent, false},
	} {
		if status, _ := standintest.Call(t, tt.method, edge+contract.DisturbPath+tt.query, tt.token, strings.NewReader(tt.body)); status != tt.status {
			t.Errorf("%s: got %d, want %d", tt.name, status, tt.status)
		}
		resp, err := http.Get(edge + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if on := resp.Header.Get("Age") != ""; on != tt.on {
			t.Errorf("%s: got an answer from a cache: %t, want %t", tt.name, on, tt.on)
		}
	}
}

func TestCacheWithoutItsOrigin(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	edge, log := standintest.Serve(t, ServeCache, map[string]any{"name": "edge", "of": gone.URL, "ttl": "0s"})
	if status, _ := standintest.Call(t, http.MethodGet, edge+"/", "", nil); status != http.StatusBadGateway {
		t.Errorf("got %d, want 502", status)
	}
	if n := len(log.Lines("fetch-failed")); n != 1 {
		t.Errorf("fetch-failed: got %d lines, want 1", n)
	}
}

// TestAnswerKids: of a key set that it handed on a cache tells the names of the keys; of
// anything else none.
func TestAnswerKids(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"keys":[{"kid":"a"},{"kid":"b"}]}`: "a b", `{"keys":[]}`: "", `{"issuer":"x"}`: "none", `no JSON`: "none",
	} {
		got := "none"
		if kids := (&cachedAnswer{status: http.StatusOK, body: []byte(body)}).kids(); kids != nil {
			got = strings.Join(kids, " ")
		}
		if got != want {
			t.Errorf("kids of %s: got %q, want %q", body, got, want)
		}
	}
	if kids := (&cachedAnswer{status: http.StatusBadGateway, body: []byte(`{"keys":[{"kid":"a"}]}`)}).kids(); kids != nil {
		t.Errorf("kids of an error: got %q, want none", kids)
	}
}
