package jwt

import (
	"testing"
	"time"
)

func TestStaticNeverLearns(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1)
	verifier, log := serveVerifier(t, jwks.URL, "static", 1e6)
	jwks.publish(t, k2)
	if got := show(t, verifier, log, k2.token(t, testIssuer, time.Hour)); got != 401 {
		t.Errorf("new kid: got %d, want 401", got)
	}
	if got := show(t, verifier, log, k1.token(t, testIssuer, time.Hour)); got != 200 {
		t.Errorf("removed kid: got %d, want 200", got)
	}
	if n := jwks.fetches(); n != 1 {
		t.Errorf("fetches: got %d, want 1", n)
	}
}
