package webhook

import (
	"net/http"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v84"
	stripewebhook "github.com/stripe/stripe-go/v84/webhook"
)

// The library refuses an event of another version, whoever signed it.
func TestEventIsOneOfStripe(t *testing.T) {
	if StripeVersion != stripe.APIVersion {
		t.Errorf("version: got %s, and stripe-go is at %s", StripeVersion, stripe.APIVersion)
	}
	body, err := Event("evt_1", "rehearsal.event", time.Unix(1700000000, 0), `paid "twice"`)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	scheme(t, "stripe").Sign(h, Message{ID: "evt_1", At: time.Now(), Body: body}, "whsec_1")
	event, err := stripewebhook.ConstructEvent(body, h.Get(HeaderStripe), "whsec_1")
	if err != nil {
		t.Fatalf("construct: %v", err)
	}
	if event.ID != "evt_1" || event.Type != "rehearsal.event" || event.Data.Object["payload"] != `paid "twice"` {
		t.Errorf("got %s of type %s with %v, want the event as it was made", event.ID, event.Type, event.Data.Object)
	}
}
