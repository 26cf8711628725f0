package apikey

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
)

func serveCharger(t *testing.T, store *standintest.Store, provider string, more map[string]any) (string, *standintest.Log) {
	t.Helper()
	charger, log := standintest.Serve(t, ServeCharger, standintest.With(map[string]any{
		"name": "shop", "provider": provider, "store": store.Config(), "refresh": "10ms",
	}, more))
	log.Forbid(standintest.StoreToken)
	return charger, log
}

func TestChargerRotates(t *testing.T) {
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	provider, providerLog := serveProvider(t)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusCreated)
	store := standintest.NewStore(t)
	store.Publish(t, "v1", standintest.Entry("v1", one))
	charger, log := serveCharger(t, store, provider, nil)
	log.Forbid(one, two)
	standintest.AwaitReady(t, charger)
	charge := func(name, method string, want int) {
		t.Helper()
		if status, body := standintest.Call(t, method, charger+"/", "", nil); status != want {
			t.Errorf("%s: got %d %s, want %d", name, status, body, want)
		}
	}
	charge("before", http.MethodGet, http.StatusOK)
	admin(t, provider, http.MethodPut, "/v2", `{"value": "`+two+`"}`, http.StatusCreated)
	store.Publish(t, "v2", standintest.Entry("v1", one), standintest.Entry("v2", two))
	standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
	charge("after the switch", http.MethodPost, http.StatusOK)
	admin(t, provider, http.MethodPost, "/v2/disable", "", http.StatusOK)
	charge("disabled at the provider", http.MethodPost, http.StatusBadGateway)

	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"v1", "v2"})
	standintest.WantEqual(t, "loaded", log.Lines("loaded")[1].Identifiers, []string{"v1", "v2"})
	standintest.WantEqual(t, "presented", log.Identifiers("presented"), []string{"v1", "v2", "v2"})
	var statuses []string
	for _, line := range log.Lines("presented") {
		statuses = append(statuses, line.Status)
		if line.Presenter != "shop" || line.Attempt != 1 {
			t.Errorf("presented: got %+v, want the first attempt of shop", line)
		}
	}
	standintest.WantEqual(t, "statuses", statuses, []string{"201", "201", "401"})
	for _, line := range append(providerLog.Lines("accepted"), providerLog.Lines("refused")...) {
		if line.Presenter != "shop" {
			t.Errorf("presenter at the provider: got %q, want shop", line.Presenter)
		}
	}
}

func TestChargerWithoutAnAnswer(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := []struct{ name, value string }{
		{"provider gone", "sk_one_0123456789"},
		{"key that is no header value", "sk_one_0123456789\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := standintest.NewStore(t)
			store.Publish(t, "v1", standintest.Entry("v1", tt.value))
			charger, log := serveCharger(t, store, gone.URL, nil)
			log.Forbid("sk_one_0123456789")
			standintest.AwaitReady(t, charger)
			status, body := standintest.Call(t, http.MethodGet, charger+"/", "", nil)
			if status != http.StatusBadGateway || strings.Contains(body, "sk_one") {
				t.Errorf("got %d %s, want 502 without the key", status, body)
			}
			if lines := log.Lines("presented"); len(lines) != 1 || lines[0].Status != history.StatusUnavailable || lines[0].Detail == "" {
				t.Errorf("presented: got %+v, want one that is %s with a reason", lines, history.StatusUnavailable)
			}
		})
	}
}

func TestChargerKeepsItsKeyWhenTheDocumentIsBad(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "v1", standintest.Entry("v1", "sk_one_0123456789"))
	charger, log := serveCharger(t, store, "http://127.0.0.1:0", nil)
	log.Forbid("sk_one_0123456789")
	standintest.AwaitReady(t, charger)
	store.Publish(t, "v2", standintest.Entry("v1", "sk_one_0123456789"))
	standintest.Eventually(t, "a failure on record", func() bool { return len(log.Lines("fetch-failed")) == 1 })
	if detail := log.Lines("fetch-failed")[0].Detail; !strings.Contains(detail, `emit names "v2"`) {
		t.Errorf("got %q, want what emit names in it", detail)
	}
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"v1"})
}

func TestPinnedChargerKeepsWhatItFound(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "v1", standintest.Entry("v1", "sk_one"))
	pinned, log := serveCharger(t, store, "http://127.0.0.1:0", map[string]any{"pinned": true})
	other, otherLog := serveCharger(t, store, "http://127.0.0.1:0", nil)
	standintest.AwaitReady(t, pinned)
	standintest.AwaitReady(t, other)
	store.Publish(t, "v2", standintest.Entry("v2", "sk_two"))
	standintest.Eventually(t, "the other's switch", func() bool { return len(otherLog.Lines("emitting")) == 2 })
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"v1"})
}
