package apikey

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestHeldBackReadsNothingNew(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "v1", standintest.Entry("v1", "sk_one"))
	charger, log := serveCharger(t, store, "http://127.0.0.1:1", map[string]any{"disturb": standintest.DisturbToken})
	standintest.AwaitReady(t, charger)
	standintest.Disturb(t, charger, standintest.DisturbToken, contract.OrderHold, "all")
	store.Publish(t, "v2", standintest.Entry("v2", "sk_two"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, charger+contract.DisturbPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+standintest.DisturbToken)
	resp, err := standintest.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(told), `"v1"`) || strings.Contains(string(told), "sk_") {
		t.Errorf("what it holds: got %s, want v1 by its fingerprint", told)
	}
	standintest.Disturb(t, charger, standintest.DisturbToken, contract.OrderHold, "")
	standintest.Eventually(t, "the switch", func() bool {
		for _, tag := range log.Identifiers("emitting") {
			if tag == "v2" {
				return true
			}
		}
		return false
	})
}
