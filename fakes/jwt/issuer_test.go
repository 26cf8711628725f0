package jwt

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func serveIssuer(t *testing.T, store *standintest.Store, more map[string]any) (string, *standintest.Log) {
	t.Helper()
	issuer, log := standintest.Serve(t, ServeIssuer, standintest.With(map[string]any{
		"name": "auth", "issuer": testIssuer, "store": store.Config(), "refresh": "10ms",
	}, more))
	log.Forbid(standintest.StoreToken)
	return issuer, log
}

func getJWKS(t *testing.T, issuer string) (kids []string, body string) {
	t.Helper()
	status, body := standintest.Call(t, http.MethodGet, issuer+"/.well-known/jwks.json", "", nil)
	if status != http.StatusOK {
		t.Fatalf("key set: got %d %s, want 200", status, body)
	}
	kids, err := kidsOf([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return kids, body
}

type minted struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	KID         string `json:"kid"`
}

func mint(t *testing.T, issuer, life string) minted {
	t.Helper()
	form := url.Values{"client": {"web"}, "session": {"s7"}, "life": {life}}
	status, body := standintest.Call(t, http.MethodPost, issuer+"/token", "", strings.NewReader(form.Encode()))
	if status != http.StatusOK {
		t.Fatalf("mint: got %d %s, want 200", status, body)
	}
	var answer minted
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestIssuerRotates(t *testing.T) {
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "RS256")
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", k1.published())
	issuer, log := serveIssuer(t, store, nil)
	log.Forbid(k1.secret, k2.secret)
	standintest.AwaitReady(t, issuer)

	steps := []struct {
		name string
		emit string
		keys []testKey
		want []string
	}{
		{"accept", "kid-1", []testKey{k1, k2}, []string{"kid-1", "kid-2"}},
		{"emit", "kid-2", []testKey{k1, k2}, []string{"kid-2", "kid-1"}},
		{"revoke", "kid-2", []testKey{k2}, []string{"kid-2"}},
	}
	for n, step := range steps {
		var keys []map[string]any
		for _, key := range step.keys {
			keys = append(keys, key.published())
		}
		store.Publish(t, step.emit, keys...)
		standintest.Eventually(t, "publishing at "+step.name, func() bool { return len(log.Lines("published")) == n+2 })
		kids, body := getJWKS(t, issuer)
		standintest.WantEqual(t, "key set after "+step.name, kids, step.want)
		for _, key := range step.keys {
			if strings.Contains(body, key.secret) {
				t.Fatalf("key set after %s holds a private key", step.name)
			}
		}
		token := mint(t, issuer, "10m")
		log.Forbid(token.AccessToken)
		if token.KID != step.emit {
			t.Errorf("kid of a token after %s: got %s, want %s", step.name, token.KID, step.emit)
		}
	}
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"kid-1", "kid-2"})
	standintest.WantEqual(t, "loaded", log.Identifiers("loaded"), []string{"kid-1", "kid-1", "kid-2", "kid-2"})
	standintest.WantEqual(t, "last published", log.Lines("published")[3].Identifiers, []string{"kid-2"})
	if reads := log.Lines("read"); len(reads) != 3 || reads[0].Reader != "test" || reads[0].What != "jwks" {
		t.Errorf("reads: got %+v, want 3 by test of jwks", reads)
	}
	if lines := log.Lines("minted"); len(lines) != 3 || lines[2].Identifier != "kid-2" || lines[2].Presenter != "web" {
		t.Errorf("minted: got %+v, want 3, the last for web with kid-2", lines)
	}
	if n := standintest.Served(t, issuer); n != 3 {
		t.Errorf("served: got %d, want 3", n)
	}
}

func TestIssuerKeepsItsKeysWhenTheDocumentIsBad(t *testing.T) {
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	public := k2.Public()
	publicDocument, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		emit string
		keys []map[string]any
		want string
	}{
		{"emit not among the keys", "kid-9", []map[string]any{k1.published()}, `emit names "kid-9"`},
		{"no keys", "", nil, "exactly one such key among 0"},
		{"the emitted one twice", "kid-2", []map[string]any{k2.published(), k2.published()}, "got 2"},
		{"another algorithm", "kid-2", []map[string]any{standintest.With(k2.published(), map[string]any{"alg": "HS256"})}, `alg "HS256" is not supported`},
		{"a public key", "kid-2", []map[string]any{standintest.With(k2.published(), map[string]any{"jwk": json.RawMessage(publicDocument)})}, "a private asymmetric key"},
		{"the key of another algorithm", "kid-2", []map[string]any{standintest.With(k2.published(), map[string]any{"alg": "RS256"})}, "load key kid-2: "},
		{"a symmetric key", "kid-2", []map[string]any{standintest.With(k2.published(), map[string]any{"jwk": map[string]any{"kty": "oct", "k": "AAECAwQFBgc"}})}, "load key kid-2: "},
		{"no key at all", "kid-2", []map[string]any{{"kid": "kid-2", "alg": "ES256", "jwk": 7}}, "load key kid-2: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := standintest.NewStore(t)
			store.Publish(t, "kid-1", k1.published())
			issuer, log := serveIssuer(t, store, nil)
			log.Forbid(k1.secret, k2.secret, "AAECAwQFBgc")
			standintest.AwaitReady(t, issuer)
			store.Publish(t, tt.emit, tt.keys...)
			standintest.Eventually(t, "a failure on record", func() bool { return len(log.Lines("fetch-failed")) > 0 })
			if got := log.Lines("fetch-failed")[0].Detail; !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
			kids, _ := getJWKS(t, issuer)
			standintest.WantEqual(t, "key set afterwards", kids, []string{"kid-1"})
			store.Publish(t, "kid-2", k2.published())
			standintest.Eventually(t, "the next good document", func() bool { kids, _ := getJWKS(t, issuer); return slices.Equal(kids, []string{"kid-2"}) })
		})
	}
}

func TestPinnedIssuerKeepsWhatItFound(t *testing.T) {
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", k1.published())
	pinned, log := serveIssuer(t, store, map[string]any{"pinned": true})
	other, otherLog := serveIssuer(t, store, nil)
	standintest.AwaitReady(t, pinned)
	standintest.AwaitReady(t, other)
	store.Publish(t, "kid-2", k2.published())
	standintest.Eventually(t, "the other's switch", func() bool { return len(otherLog.Lines("emitting")) == 2 })
	kids, _ := getJWKS(t, pinned)
	standintest.WantEqual(t, "key set of the pinned issuer", kids, []string{"kid-1"})
	standintest.WantEqual(t, "loaded by the pinned issuer", log.Identifiers("loaded"), []string{"kid-1"})
}

func TestReusedKidWithNewMaterialIsPublished(t *testing.T) {
	before, after := newKey(t, "kid-1", "ES256"), newKey(t, "kid-1", "ES256")
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", before.published())
	issuer, log := serveIssuer(t, store, nil)
	standintest.AwaitReady(t, issuer)
	store.Publish(t, "kid-1", after.published())
	standintest.Eventually(t, "publishing again", func() bool { return len(log.Lines("published")) == 2 })
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"kid-1"})
	token, err := jwt.ParseSigned(mint(t, issuer, "1m").AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Claims(after.Public(), &jwt.Claims{}); err != nil {
		t.Errorf("verify with the new material: got %v, want no error", err)
	}
}

func TestMintedTokens(t *testing.T) {
	tests := []struct {
		name, algorithm, life string
		seconds               int64
	}{
		{"whole seconds", "ES256", "10m", 600},
		{"rounded up", "ES256", "6.667s", 7},
		{"at least one second", "ES256", "1ms", 1},
		{"RSA", "RS256", "1m", 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := newKey(t, "kid-1", tt.algorithm)
			store := standintest.NewStore(t)
			store.Publish(t, "kid-1", key.published())
			issuer, _ := serveIssuer(t, store, nil)
			standintest.AwaitReady(t, issuer)
			before := time.Now()
			answer := mint(t, issuer, tt.life)
			if answer.TokenType != "Bearer" || answer.ExpiresIn != tt.seconds || answer.KID != "kid-1" {
				t.Errorf("answer: got %s, %d, %s, want Bearer, %d, kid-1", answer.TokenType, answer.ExpiresIn, answer.KID, tt.seconds)
			}
			token, err := jwt.ParseSigned(answer.AccessToken, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tt.algorithm)})
			if err != nil {
				t.Fatal(err)
			}
			var claims accessClaims
			if err := token.Claims(key.Public(), &claims); err != nil {
				t.Fatalf("verify: %v", err)
			}
			if claims.Issuer != testIssuer || claims.Subject != "s7" || claims.ClientID != "web" || !claims.Audience.Contains(Audience) || claims.ID == "" {
				t.Errorf("claims: got %+v, want those of session s7 of client web", claims)
			}
			life, err := time.ParseDuration(tt.life)
			if err != nil {
				t.Fatal(err)
			}
			exp := claims.Expiry.Time()
			if exp.Before(before.Add(life)) || !exp.Before(time.Now().Add(life+time.Second)) {
				t.Errorf("exp: got %s, want the first second at or after %s from %s", exp, life, before)
			}
			if token.Headers[0].KeyID != "kid-1" {
				t.Errorf("kid in the header: got %q, want kid-1", token.Headers[0].KeyID)
			}
		})
	}
}

func TestTokenRequestsThatAreRefused(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, log := serveIssuer(t, store, nil)
	standintest.AwaitReady(t, issuer)
	for name, form := range map[string]string{
		"no client": "session=s&life=1m", "no session": "client=c&life=1m", "no life": "client=c&session=s",
		"life without a unit": "client=c&session=s&life=60", "no life left": "client=c&session=s&life=0s",
	} {
		if status, body := standintest.Call(t, http.MethodPost, issuer+"/token", "", strings.NewReader(form)); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s, want 400", name, status, body)
		}
	}
	if n := len(log.Lines("minted")); n != 0 {
		t.Errorf("minted: got %d lines, want none", n)
	}
}

func TestDiscovery(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, _ := serveIssuer(t, store, nil)
	standintest.AwaitReady(t, issuer)
	_, body := standintest.Call(t, http.MethodGet, issuer+"/.well-known/openid-configuration", "", nil)
	var document map[string]any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatal(err)
	}
	if document["issuer"] != testIssuer || document["jwks_uri"] != testIssuer+"/.well-known/jwks.json" {
		t.Errorf("got issuer %v and jwks_uri %v, want those of %s", document["issuer"], document["jwks_uri"], testIssuer)
	}
}

// TestSparing: what an order leaves alone is answered as usual.
func TestSparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s untilSpent
		if got := s.answer("503"); got != "503" {
			t.Errorf("without a limit: got %q, want 503", got)
		}
		if got := s.answer(""); got != "" {
			t.Errorf("without an order: got %q, want none", got)
		}
		var got []string
		for range 4 {
			got = append(got, s.answer("429 2"))
		}
		standintest.WantEqual(t, "four at once, two a second", got, []string{"", "", "429", "429"})
		time.Sleep(time.Second)
		if got := s.answer("429 2"); got != "" {
			t.Errorf("a second later: got %q, want it answered as usual", got)
		}
	})
	for _, value := range []string{"429 often", "429 -1", "teapot 1"} {
		if issuerDisturbances[contract.OrderJWKS](value) == nil {
			t.Errorf("order %q: got no error", value)
		}
	}
}

func TestHealthSaysWhatIsWaitedFor(t *testing.T) {
	store := standintest.NewStore(t)
	url, log := standintest.Serve(t, ServeIssuer, map[string]any{"name": "auth", "issuer": testIssuer, "store": store.Config(), "refresh": "1h"})
	standintest.Eventually(t, "the first failed read", func() bool { return len(log.Lines("fetch-failed")) == 1 })
	status, body := standintest.Call(t, http.MethodGet, url+"/healthz", "", nil)
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "secret/data/auth/key") || !strings.Contains(body, "404") {
		t.Errorf("before anything is published: got %d %s, want 503 with the path and the last answer", status, body)
	}
	if status, _ := standintest.Call(t, http.MethodGet, url+"/.well-known/jwks.json", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("key set before anything is published: got %d, want 503", status)
	}
	key := newKey(t, "k1", "ES256")
	store.Publish(t, "k1", key.published())
	standintest.AwaitReady(t, url)
	if n := len(log.Lines("fetch-failed")); n != 1 {
		t.Errorf("the same failure again and again: got %d lines, want 1", n)
	}
}
