package jwt

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

// showUntilFetched presents a token, again while the library has not fetched
// as often as it must have. go-oidc v3.21.0 answers a miss that comes in the
// instant after a fetch with what that fetch brought, and does not fetch.
func showUntilFetched(t *testing.T, verifier string, log *standintest.Log, jwks *testJWKS, fetches int, token string) (status int) {
	t.Helper()
	standintest.Eventually(t, "a fetch by the library", func() bool {
		status = show(t, verifier, log, token)
		return jwks.fetches() >= fetches
	})
	return status
}

// go-oidc meets a new kid with a fetch at once, and forgets nothing until some
// miss makes it fetch.
func TestGoOIDCLearnsAtOnceAndForgetsAtAMiss(t *testing.T) {
	t.Parallel()
	k1, k2, garbage := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256"), newKey(t, "kid-0", "ES256")
	jwks := newJWKS(t, k1)
	verifier, log := serveVerifier(t, jwks.URL, "go-oidc", 60)
	if n := jwks.fetches(); n != 0 {
		t.Errorf("fetches before the first token: got %d, want 0", n)
	}
	for _, step := range []struct {
		name    string
		publish []testKey
		show    testKey
		want    int
		fetches int
	}{
		{"first token", []testKey{k1}, k1, 200, 1},
		{"new kid", []testKey{k1, k2}, k2, 200, 2},
		{"known kid", []testKey{k1, k2}, k1, 200, 2},
		{"removed kid", []testKey{k2}, k1, 200, 2},
		{"garbage kid", []testKey{k2}, garbage, 401, 3},
		{"removed kid after a miss", []testKey{k2}, k1, 401, 4},
	} {
		jwks.publish(t, step.publish...)
		got := showUntilFetched(t, verifier, log, jwks, step.fetches, step.show.token(t, testIssuer, time.Hour))
		if got != step.want {
			t.Errorf("%s: got %d, want %d", step.name, got, step.want)
		}
		if n := jwks.fetches(); n != step.fetches {
			t.Errorf("%s: got %d fetches, want %d", step.name, n, step.fetches)
		}
	}
	standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"kid-1", "kid-2"})
	standintest.WantEqual(t, "forgot", log.Identifiers("forgot"), []string{"kid-1"})
}
