package webhook

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// A receiver's clock is held against its library's tolerance of five minutes;
// stripe-go has none for what is from the future, and other schemes no time.
func TestReceiverClock(t *testing.T) {
	for scheme, refused := range map[string][]string{
		"stripe": {"6m"}, "standard-webhooks": {"6m", "-6m"}, "github": nil, "shopify": nil,
		"slack": {"6m", "-6m"},
	} {
		t.Run(scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, scheme)
			_, strange := webhookSecrets(t, scheme)
			store := standintest.NewStore(t)
			store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
			receiver, log := serveReceiver(t, store, scheme, map[string]any{"disturb": standintest.DisturbToken})
			log.Forbid(secrets[0], strange[0])
			want := map[string]int{"": 204, "4m": 204, "-4m": 204, "6m": 204, "-6m": 204}
			for _, shift := range refused {
				want[shift] = 401
			}
			for n, shift := range []string{"", "4m", "-4m", "6m", "-6m", ""} {
				standintest.Disturb(t, receiver, standintest.DisturbToken, contract.OrderClock, shift)
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
