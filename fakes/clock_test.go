package fakes

import (
	"maps"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// dateOf is how far the Date of an answer is ahead.
func dateOf(t *testing.T, url string) time.Duration {
	t.Helper()
	resp, err := client.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(date)
}

// Every library goes by the clock of its service.
func TestVerifierClock(t *testing.T) {
	for library := range maps.Keys(libraries) {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, "kid-1", "ES256")
			verifier, log := serve(t, ServeVerifier, map[string]any{
				"name": "checkout", "library": library, "jwks": newJWKS(t, key).URL, "issuer": testIssuer, "disturb": disturbToken,
			})
			awaitReady(t, verifier)
			token := key.token(t, testIssuer, 10*time.Minute)
			for _, tt := range []struct {
				shift string
				ahead time.Duration
				want  int
			}{{"", 0, 200}, {"20m", 20 * time.Minute, 401}, {"-1s", -time.Second, 200}, {"", 0, 200}} {
				disturb(t, verifier, disturbToken, DisturbClock, tt.shift)
				if tt.shift != "-1s" || library != "jwx" { // jwx looks at iat, which is in whole seconds
					if got := show(t, verifier, log, token); got != tt.want {
						t.Errorf("shifted by %q: got %d, want %d", tt.shift, got, tt.want)
					}
				}
				if got := dateOf(t, verifier); (got - tt.ahead).Abs() > 30*time.Second {
					t.Errorf("shifted by %q: its Date is %s ahead", tt.shift, got)
				}
			}
			if got, want := served(t, verifier), int64(len(log.lines("accepted"))+len(log.lines("refused"))); got != want {
				t.Errorf("served: got %d, want %d: orders are none of its trade", got, want)
			}
		})
	}
}

// A receiver's clock is held against its library's tolerance of five minutes;
// stripe-go has none for what is from the future, and other schemes no time.
func TestReceiverClock(t *testing.T) {
	for scheme, refused := range map[string][]string{
		"stripe": {"6m"}, "standard-webhooks": {"6m", "-6m"}, "github": nil, "shopify": nil,
	} {
		t.Run(scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, scheme)
			_, strange := webhookSecrets(t, scheme)
			store := newStore(t)
			store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
			receiver, log := serveReceiver(t, store, scheme, map[string]any{"disturb": disturbToken})
			log.forbid(secrets[0], strange[0])
			want := map[string]int{"": 204, "4m": 204, "-4m": 204, "6m": 204, "-6m": 204}
			for _, shift := range refused {
				want[shift] = 401
			}
			for n, shift := range []string{"", "4m", "-4m", "6m", "-6m", ""} {
				disturb(t, receiver, disturbToken, DisturbClock, shift)
				if got := deliver(t, receiver, s, time.Now(), "evt_"+strconv.Itoa(n), secrets[0]); got != want[shift] {
					t.Errorf("shifted by %q: got %d, want %d", shift, got, want[shift])
				}
				if got := deliver(t, receiver, s, time.Now(), "evt_"+strconv.Itoa(n), strange[0]); got != http.StatusUnauthorized {
					t.Errorf("shifted by %q, a stranger's: got %d, want 401", shift, got)
				}
			}
		})
	}
}
