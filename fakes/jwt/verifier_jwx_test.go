package jwt

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// jwx does not fetch for an unknown kid: it learns at its refresh, here every
// 2 s, which httprc rounds up and to which it adds a second.
func TestJWXLearnsAtItsRefreshOnly(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1)
	verifier, log := serveVerifier(t, jwks.URL, "jwx", 450)
	begin := time.Now()
	jwks.publish(t, k2)
	token := k2.token(t, testIssuer, time.Hour)
	if got := show(t, verifier, log, token); got != 401 {
		t.Errorf("new kid before the refresh: got %d, want 401", got)
	}
	if n := jwks.fetches(); n != 1 {
		t.Errorf("fetches after an unknown kid: got %d, want 1", n)
	}
	standintest.Eventually(t, "learning", func() bool { return len(log.Lines("learned")) == 2 })
	// Not before its refresh; how much later than 4 s it is, is the machine's.
	if took := time.Since(begin); took < time.Second {
		t.Errorf("learned after %s, want 2 s to 4 s", took)
	}
	if got := show(t, verifier, log, token); got != 200 {
		t.Errorf("new kid once it is logged as learned: got %d, want 200", got)
	}
	if got := show(t, verifier, log, k1.token(t, testIssuer, time.Hour)); got != 401 {
		t.Errorf("removed kid once it is logged as forgotten: got %d, want 401", got)
	}
	standintest.WantEqual(t, "forgot", log.Identifiers("forgot"), []string{"kid-1"})
}

// jwx refuses a set whose keys lack alg; what it fetched is not what it holds.
func TestJWXHoldsWhatItTookOver(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1)
	verifier, log := serveVerifier(t, jwks.URL, "jwx", 900) // refresh: 1 s
	jwks.answer(http.StatusOK, `{"keys": [{"kty": "EC", "crv": "P-256", "kid": "kid-2", "x": "AA", "y": "AA"}]}`)
	standintest.Eventually(t, "a fetch of the bad set", func() bool {
		return slices.ContainsFunc(log.Lines("fetched"), func(l history.Line) bool { return slices.Equal(l.Identifiers, []string{"kid-2"}) })
	})
	fetched := log.Lines("fetched")
	standintest.WantEqual(t, "held after the bad set", fetched[len(fetched)-1].Holds, []string{"kid-1"})
	standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"kid-1"})
	if got := show(t, verifier, log, k1.token(t, testIssuer, time.Hour)); got != 200 {
		t.Errorf("old kid after a bad set: got %d, want 200", got)
	}
	if got := show(t, verifier, log, k2.token(t, testIssuer, time.Hour)); got != 401 {
		t.Errorf("kid of the bad set: got %d, want 401", got)
	}
}
