package family_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	fakejwt "github.com/rehearse-dev/rehearse/fakes/jwt"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

const signingKeyPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 20s}
  - {name: checkout, roles: [validate], library: keyfunc}
  - {name: search, roles: [validate], library: go-oidc}
format: {type: TYPE, identifier: kid, longest_life: 10m}
rollout: {lead: 20m, propagation: 30s, watch: 20m}
overlap: {window: 12m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const signingKeyServices = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 40
services:
  auth: {serve: issuer}
  legacy: {serve: issuer, pinned: true}
  cdn: {serve: cache, of: auth, ttl: 5m}
  checkout: {serve: verifier}
  search: {serve: verifier, of: cdn}
load: [{client: web, to: checkout, rate: 20/s, token: {}}]
`

func TestSigningKeysAmongRealServices(t *testing.T) {
	for _, algorithm := range []string{"ES256", "RS256"} {
		t.Run(algorithm, func(t *testing.T) {
			r := rehearse(t, strings.Replace(signingKeyPage, "TYPE", algorithm, 1), signingKeyServices)
			r.present(t, "search", "k1", history.OldAfter) // go-oidc has no keys before it needs one
			for _, validator := range []string{"checkout", "search"} {
				if p := r.present(t, validator, "k1", history.Canary); p.Outcome != history.OK || p.Status != "200" || p.CausedFetch || p.Latency <= 0 {
					t.Errorf("k1 at %s: got %+v, want ok, 200, without a fetch and with a latency", validator, p)
				}
			}
			kid := r.make(t, "k2")
			r.do(t, keyring.Accept, "k2")
			await(t, "the issuer publishes k2", func() bool { return r.keySet(t, "auth").Key(kid) != nil })
			// keyfunc fetches at a kid that it does not know; so does go-oidc, and
			// meets the old set in the cache.
			if p := r.present(t, "checkout", "k2", history.Canary); p.Outcome != history.OK || !p.CausedFetch {
				t.Errorf("k2 at checkout: got %+v, want ok, and that it caused a fetch", p)
			}
			if p := r.present(t, "checkout", "k2", history.Canary); p.Outcome != history.OK || p.CausedFetch {
				t.Errorf("k2 at checkout again: got %+v, want ok without a fetch", p)
			}
			p := r.present(t, "search", "k2", history.Canary)
			if p.Outcome != history.AuthFailure || p.Status != "401" || !p.CausedFetch {
				t.Errorf("k2 at search: got %+v, want an auth failure, 401, and that it caused a fetch", p)
			}
			// A series does not stretch the lead: a fetch is looked for at its first answer.
			r.see(func(v *history.View) {
				v.Apply(history.Event{Kind: history.KindProbe, Service: "search", Credential: "k2", Probe: &p})
			})
			if p := r.present(t, "search", "k2", history.Canary); p.Outcome != history.AuthFailure || p.CausedFetch {
				t.Errorf("k2 at search once more: got %+v, want an auth failure, and no look for a fetch", p)
			}
			strays := r.Binding.(family.UnknownKeyShower)
			for range 2 {
				if p, err := strays.UnknownKey(t.Context(), "search"); err != nil || p.Outcome != history.AuthFailure || p.Purpose != history.Garbage {
					t.Errorf("a made-up token at search: got %+v, %v, want an auth failure", p, err)
				}
			}
			await(t, "search refused two made-up kids", func() bool { return len(r.madeUp("search")) == 2 })
			if kids := r.madeUp("search"); kids[0] == kids[1] {
				t.Errorf("search was shown %q, want two kids", kids)
			}
			r.do(t, keyring.Emit, "k2")
			await(t, "the issuer emits k2", func() bool { return r.keySet(t, "auth").Keys[0].KeyID == kid })
			if got := r.keySet(t, "legacy").Key(kid); got != nil {
				t.Error("the pinned issuer publishes k2 too, want what it found at its start")
			}
			r.ends["checkout"]()
			if p := r.present(t, "checkout", "k2", history.NewAfter); p.Outcome != history.Unavailable || p.Status != "refused" {
				t.Errorf("k2 at a service that has ended: got %+v, want unavailable, refused", p)
			}
		})
	}
}

// madeUp are the made-up kids that a service has refused.
func (r *rehearsal) madeUp(service string) (kids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if line.Service == service && line.Message == history.MessageRefused && strings.HasPrefix(line.Identifier, "made-up-") {
			kids = append(kids, line.Identifier)
		}
	}
	return kids
}

// keySet is what an issuer serves.
func (r *rehearsal) keySet(t *testing.T, issuer string) *jose.JSONWebKeySet {
	t.Helper()
	resp, err := http.Get(r.addresses[issuer].URL() + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	return &set
}

// spy is a validator that keeps the token that it was shown.
func spy(t *testing.T, r *rehearsal, name string) func() (raw string, claims map[string]any) {
	t.Helper()
	r.ends[name]()
	shown := make(chan string, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		shown <- strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	})}
	listener := listen(t)
	r.addresses[name] = addressOf(listener)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return func() (string, map[string]any) {
		raw := <-shown
		token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
			t.Fatal(err)
		}
		return raw, claims
	}
}

func TestTokensOfProbes(t *testing.T) {
	r := rehearse(t, strings.Replace(signingKeyPage, "TYPE", "ES256", 1), signingKeyServices)
	shown := spy(t, r, "checkout")
	p := r.present(t, "checkout", "k1", history.Canary)
	fresh, claims := shown()
	for claim, want := range map[string]any{
		"iss": r.addresses["auth"].URL(), "aud": fakejwt.Audience, "client_id": "rehearse-probe", "sub": "rehearse-probe",
	} {
		if got := claims[claim]; got != want {
			t.Errorf("%s: got %v, want %v", claim, got, want)
		}
	}
	if p.Presentation == "" || p.Purpose != history.Canary {
		t.Errorf("got %+v, want its purpose and how it was presented", p)
	}
	const life = time.Hour
	if err := r.Hold(t.Context(), "k1", life); err != nil {
		t.Fatal(err)
	}
	held := time.Now()
	var first string
	for range 2 {
		p = r.present(t, "checkout", "k1", history.OldAfter)
		raw, claims := shown()
		if first == "" {
			first = raw
		}
		if raw != first || raw == fresh {
			t.Error("want the one token that was held, at every presentation")
		}
		expiry := time.Unix(int64(claims["exp"].(float64)), 0)
		if expiry.Before(held.Add(life-time.Second)) || expiry.After(held.Add(life+2*time.Second)) {
			t.Errorf("expires at %v, want %v after %v", expiry, life, held)
		}
	}
	if !strings.Contains(p.Presentation, "made before") {
		t.Errorf("presentation: got %q, want that it was made before", p.Presentation)
	}
}

// TestDoubtsOfTokens: a token that nobody signed, and one of a held credential that is
// another than the one held.
func TestDoubtsOfTokens(t *testing.T) {
	r := rehearse(t, strings.Replace(signingKeyPage, "TYPE", "ES256", 1), signingKeyServices)
	if p := r.present(t, "checkout", "k1", history.MadeUp); p.Outcome != history.AuthFailure || p.Purpose != history.MadeUp {
		t.Errorf("made up: got %+v, want that it is refused", p)
	}
	shown := spy(t, r, "checkout")
	if err := r.Hold(t.Context(), "k1", time.Hour); err != nil {
		t.Fatal(err)
	}
	r.present(t, "checkout", "k1", history.OldAfter)
	held, _ := shown()
	r.present(t, "checkout", "k1", history.Anew)
	if anew, _ := shown(); anew == held {
		t.Error("anew: got the token that was held, want another")
	}
}

func TestProbesThatCannotBeMade(t *testing.T) {
	r := rehearse(t, strings.Replace(signingKeyPage, "TYPE", "ES256", 1), signingKeyServices)
	if err := r.Hold(t.Context(), "k9", time.Minute); err == nil {
		t.Error("hold a token of what was never made: got no error")
	}
	if p, err := r.Present(t.Context(), "checkout", "k9", history.Canary); err == nil {
		t.Errorf("present what was never made: got %+v, want an error", p)
	}
}
