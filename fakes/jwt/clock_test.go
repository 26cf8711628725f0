package jwt

import (
	"maps"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Every library goes by the clock of its service.
func TestVerifierClock(t *testing.T) {
	for library := range maps.Keys(libraries) {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, "kid-1", "ES256")
			verifier, log := standintest.Serve(t, ServeVerifier, map[string]any{
				"name": "checkout", "library": library, "jwks": newJWKS(t, key).URL, "issuer": testIssuer, "disturb": standintest.DisturbToken,
			})
			standintest.AwaitReady(t, verifier)
			token := key.token(t, testIssuer, 10*time.Minute)
			for _, tt := range []struct {
				shift string
				ahead time.Duration
				want  int
			}{{"", 0, 200}, {"20m", 20 * time.Minute, 401}, {"-1s", -time.Second, 200}, {"", 0, 200}} {
				standintest.Disturb(t, verifier, standintest.DisturbToken, contract.OrderClock, tt.shift)
				if tt.shift != "-1s" || library != "jwx" { // jwx looks at iat, which is in whole seconds
					if got := show(t, verifier, log, token); got != tt.want {
						t.Errorf("shifted by %q: got %d, want %d", tt.shift, got, tt.want)
					}
				}
				if got := standintest.DateOf(t, verifier); (got - tt.ahead).Abs() > 30*time.Second {
					t.Errorf("shifted by %q: its Date is %s ahead", tt.shift, got)
				}
			}
			if got, want := standintest.Served(t, verifier), int64(len(log.Lines("accepted"))+len(log.Lines("refused"))); got != want {
				t.Errorf("served: got %d, want %d: orders are none of its trade", got, want)
			}
		})
	}
}
