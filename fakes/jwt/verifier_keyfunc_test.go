package jwt

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

// keyfunc: one garbage kid uses up the fetch of a cooldown, here 5 s. On a
// machine so busy that those are over before the new kid is shown, nothing can
// be said of it.
func TestKeyfuncRefusesANewKidInItsCooldown(t *testing.T) {
	t.Parallel()
	k1, k2, garbage := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256"), newKey(t, "kid-0", "ES256")
	jwks := newJWKS(t, k1)
	verifier, log := serveVerifier(t, jwks.URL, "keyfunc", 60)
	const cooldown = 5 * time.Second
	begin := time.Now()
	if got := show(t, verifier, log, garbage.token(t, testIssuer, time.Hour)); got != 401 {
		t.Fatalf("garbage kid: got %d, want 401", got)
	}
	jwks.publish(t, k1, k2)
	token := k2.token(t, testIssuer, time.Hour)
	got, fetches := show(t, verifier, log, token), jwks.fetches()
	if inTime := time.Since(begin) < cooldown; inTime && (got != 401 || fetches != 2) {
		t.Errorf("new kid right after the garbage: got %d after %d fetches, want 401 after 2: at the start and for the garbage kid", got, fetches)
	} else if inTime {
		standintest.WantEqual(t, "learned so far", log.Identifiers("learned"), []string{"kid-1"})
	}
	standintest.Eventually(t, "learning after the cooldown", func() bool { return show(t, verifier, log, token) == 200 })
	standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"kid-1", "kid-2"})
}

func TestKeyfuncForgetsAtItsRefresh(t *testing.T) {
	t.Parallel()
	k1, k2 := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	jwks := newJWKS(t, k1, k2)
	verifier, log := serveVerifier(t, jwks.URL, "keyfunc", 3600) // refresh: 1 s
	token := k1.token(t, testIssuer, time.Hour)
	jwks.publish(t, k2)
	standintest.Eventually(t, "forgetting", func() bool { return len(log.Lines("forgot")) == 1 })
	if got := show(t, verifier, log, token); got != 401 {
		t.Errorf("removed kid after the refresh: got %d, want 401", got)
	}
	standintest.WantEqual(t, "forgot", log.Identifiers("forgot"), []string{"kid-1"})
	fetched := log.Lines("fetched")
	standintest.WantEqual(t, "first set", fetched[0].Identifiers, []string{"kid-1", "kid-2"})
	standintest.WantEqual(t, "held of the first set", fetched[0].Holds, []string{"kid-1", "kid-2"})
	standintest.WantEqual(t, "held of the last set", fetched[len(fetched)-1].Holds, []string{"kid-2"})
	if want := strings.TrimPrefix(jwks.URL, "http://"); fetched[0].From != want {
		t.Errorf("from: got %s, want %s", fetched[0].From, want)
	}
}
