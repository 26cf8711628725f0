package jwt

import (
	"net/http"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

func TestSingleKeyHoldsOneAtATime(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1, k2)
	verifier, log := serveVerifier(t, jwks.URL, "single-key", 3000) // refresh: 100 ms
	one, two := k1.token(t, testIssuer, time.Hour), k2.token(t, testIssuer, time.Hour)
	if got := show(t, verifier, log, two); got != 401 {
		t.Errorf("second key of the set: got %d, want 401", got)
	}
	jwks.publish(t, k2, k1)
	standintest.Eventually(t, "replacing the key", func() bool { return len(log.Lines("forgot")) == 1 })
	if got := show(t, verifier, log, two); got != 200 {
		t.Errorf("first key of the new set: got %d, want 200", got)
	}
	if got := show(t, verifier, log, one); got != 401 {
		t.Errorf("key that was first before: got %d, want 401", got)
	}
	standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"kid-1", "kid-2"})
	for _, line := range log.Lines("fetched") {
		if len(line.Identifiers) != 2 || len(line.Holds) != 1 {
			t.Errorf("fetched: got %v and holds %v, want 2 and 1", line.Identifiers, line.Holds)
		}
	}
	jwks.answer(http.StatusOK, `{"keys": []}`)
	standintest.Eventually(t, "a fetch of the empty set", func() bool {
		lines := log.Lines("fetched")
		return len(lines[len(lines)-1].Identifiers) == 0
	})
	if got := show(t, verifier, log, two); got != 200 {
		t.Errorf("key after an empty set: got %d, want 200", got)
	}
}
