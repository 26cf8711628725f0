package jwt

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

func TestFailedFetchesAreLogged(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"status":           {http.StatusServiceUnavailable, `{"keys": []}`, "status 503"},
		"not JSON":         {http.StatusOK, `<html>`, "parse key set"},
		"no object":        {http.StatusOK, `"busy"`, "parse key set"},
		"cut off half-way": {http.StatusOK, `{"keys": [{"kty": "EC", "kid"`, "parse key set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
			jwks := newJWKS(t, k1)
			verifier, log := serveVerifier(t, jwks.URL, "go-oidc", 1)
			if got := show(t, verifier, log, k1.token(t, testIssuer, time.Hour)); got != 200 {
				t.Fatalf("known kid: got %d, want 200", got)
			}
			jwks.answer(answer.status, answer.body)
			if got := showUntilFetched(t, verifier, log, jwks, 2, k2.token(t, testIssuer, time.Hour)); got != 401 {
				t.Errorf("unknown kid: got %d, want 401", got)
			}
			failed := log.Lines("fetch-failed")
			if len(failed) != 1 || !strings.Contains(failed[0].Detail, answer.want) || failed[0].From == "" {
				t.Errorf("got %+v, want one fetch-failed with %q and from", failed, answer.want)
			}
			if got := show(t, verifier, log, k1.token(t, testIssuer, time.Hour)); got != 200 {
				t.Errorf("known kid during the outage: got %d, want 200", got)
			}
		})
	}
}

// An error that is answered with 200 empties the cache of go-oidc and keyfunc:
// any object is a key set to them.
func TestAnErrorWithStatus200EmptiesTheCache(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1)
	for _, library := range []string{"go-oidc", "keyfunc"} {
		t.Run(library, func(t *testing.T) {
			jwks.publish(t, k1)
			verifier, log := serveVerifier(t, jwks.URL, library, 1)
			known := k1.token(t, testIssuer, time.Hour)
			if got := show(t, verifier, log, known); got != 200 {
				t.Fatalf("known kid: got %d, want 200", got)
			}
			before := jwks.fetches()
			jwks.answer(http.StatusOK, `{"error": "busy"}`)
			if got := showUntilFetched(t, verifier, log, jwks, before+1, k2.token(t, testIssuer, time.Hour)); got != 401 {
				t.Errorf("unknown kid: got %d, want 401", got)
			}
			// go-oidc puts the new set in its cache just after it answered the miss.
			standintest.Eventually(t, "refusing the known kid", func() bool { return show(t, verifier, log, known) == 401 })
			standintest.WantEqual(t, "forgot", log.Identifiers("forgot"), []string{"kid-1"})
		})
	}
}
