package fakes

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func serveCharger(t *testing.T, store *testStore, provider string, more map[string]any) (string, *logBook) {
	t.Helper()
	charger, log := serve(t, ServeCharger, with(map[string]any{
		"name": "shop", "provider": provider, "store": store.config(), "refresh": "10ms",
	}, more))
	log.forbid(storeToken)
	return charger, log
}

func apiKeyEntry(tag, value string) map[string]any {
	return map[string]any{"tag": tag, "value": value}
}

func TestChargerRotates(t *testing.T) {
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	provider, providerLog := serveProvider(t)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusCreated)
	store := newStore(t)
	store.publish(t, "v1", apiKeyEntry("v1", one))
	charger, log := serveCharger(t, store, provider, nil)
	log.forbid(one, two)
	awaitReady(t, charger)
	charge := func(name, method string, want int) {
		t.Helper()
		if status, body := call(t, method, charger+"/", "", nil); status != want {
			t.Errorf("%s: got %d %s, want %d", name, status, body, want)
		}
	}
	charge("before", http.MethodGet, http.StatusOK)
	admin(t, provider, http.MethodPut, "/v2", `{"value": "`+two+`"}`, http.StatusCreated)
	store.publish(t, "v2", apiKeyEntry("v1", one), apiKeyEntry("v2", two))
	eventually(t, "the switch", func() bool { return len(log.lines("emitting")) == 2 })
	charge("after the switch", http.MethodPost, http.StatusOK)
	admin(t, provider, http.MethodPost, "/v2/disable", "", http.StatusOK)
	charge("disabled at the provider", http.MethodPost, http.StatusBadGateway)

	wantEqual(t, "emitting", log.identifiers("emitting"), []string{"v1", "v2"})
	wantEqual(t, "loaded", log.lines("loaded")[1].Identifiers, []string{"v1", "v2"})
	wantEqual(t, "presented", log.identifiers("presented"), []string{"v1", "v2", "v2"})
	var statuses []string
	for _, line := range log.lines("presented") {
		statuses = append(statuses, line.Status)
		if line.Presenter != "shop" || line.Attempt != 1 {
			t.Errorf("presented: got %+v, want the first attempt of shop", line)
		}
	}
	wantEqual(t, "statuses", statuses, []string{"201", "201", "401"})
	for _, line := range append(providerLog.lines("accepted"), providerLog.lines("refused")...) {
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
			store := newStore(t)
			store.publish(t, "v1", apiKeyEntry("v1", tt.value))
			charger, log := serveCharger(t, store, gone.URL, nil)
			log.forbid("sk_one_0123456789")
			awaitReady(t, charger)
			status, body := call(t, http.MethodGet, charger+"/", "", nil)
			if status != http.StatusBadGateway || strings.Contains(body, "sk_one") {
				t.Errorf("got %d %s, want 502 without the key", status, body)
			}
			if lines := log.lines("presented"); len(lines) != 1 || lines[0].Status != history.StatusUnavailable || lines[0].Detail == "" {
				t.Errorf("presented: got %+v, want one that is %s with a reason", lines, history.StatusUnavailable)
			}
		})
	}
}

func TestChargerKeepsItsKeyWhenTheDocumentIsBad(t *testing.T) {
	store := newStore(t)
	store.publish(t, "v1", apiKeyEntry("v1", "sk_one_0123456789"))
	charger, log := serveCharger(t, store, "http://127.0.0.1:0", nil)
	log.forbid("sk_one_0123456789")
	awaitReady(t, charger)
	store.publish(t, "v2", apiKeyEntry("v1", "sk_one_0123456789"))
	eventually(t, "a failure on record", func() bool { return len(log.lines("fetch-failed")) == 1 })
	if detail := log.lines("fetch-failed")[0].Detail; !strings.Contains(detail, `emit names "v2"`) {
		t.Errorf("got %q, want what emit names in it", detail)
	}
	wantEqual(t, "emitting", log.identifiers("emitting"), []string{"v1"})
}

func TestPinnedChargerKeepsWhatItFound(t *testing.T) {
	store := newStore(t)
	store.publish(t, "v1", apiKeyEntry("v1", "sk_one"))
	pinned, log := serveCharger(t, store, "http://127.0.0.1:0", map[string]any{"pinned": true})
	other, otherLog := serveCharger(t, store, "http://127.0.0.1:0", nil)
	awaitReady(t, pinned)
	awaitReady(t, other)
	store.publish(t, "v2", apiKeyEntry("v2", "sk_two"))
	eventually(t, "the other's switch", func() bool { return len(otherLog.lines("emitting")) == 2 })
	wantEqual(t, "emitting", log.identifiers("emitting"), []string{"v1"})
}
