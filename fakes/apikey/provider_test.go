package apikey

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
)

const adminToken = "admin-0123456789"

func serveProvider(t *testing.T) (string, *standintest.Log) {
	t.Helper()
	provider, log := standintest.Serve(t, ServeProvider, map[string]any{"name": "payments", "account": "acme", "admin_token": adminToken})
	log.Forbid(adminToken)
	standintest.AwaitReady(t, provider)
	return provider, log
}

// admin makes an admin call and wants a status.
func admin(t *testing.T, provider, method, path, body string, want int) string {
	t.Helper()
	status, answer := standintest.Call(t, method, provider+"/admin/keys"+path, adminToken, strings.NewReader(body))
	if status != want {
		t.Errorf("%s %s: got %d %s, want %d", method, path, status, answer, want)
	}
	return answer
}

func TestProviderTakesAKeyThroughItsLife(t *testing.T) {
	provider, log := serveProvider(t)
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	log.Forbid(one, two)
	charge := func(name, value string, want int) {
		t.Helper()
		if status, _ := standintest.CallAs(t, http.MethodPost, provider+"/charges", value, ChargerAgent+"shop", nil); status != want {
			t.Errorf("charge with %s: got %d, want %d", name, status, want)
		}
	}
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusOK)
	admin(t, provider, http.MethodPut, "/v2", `{"value": "`+two+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPut, "/v3", `{"value": "sk_three"}`, http.StatusConflict)
	charge("v1", one, http.StatusCreated)
	charge("v2", two, http.StatusCreated)
	admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
	admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
	charge("v1 disabled", one, http.StatusUnauthorized)
	admin(t, provider, http.MethodPost, "/v1/enable", "", http.StatusOK)
	charge("v1 enabled", one, http.StatusCreated)
	admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
	admin(t, provider, http.MethodDelete, "/v1", "", http.StatusOK)
	admin(t, provider, http.MethodDelete, "/v1", "", http.StatusNotFound)
	charge("v1 deleted", one, http.StatusUnauthorized)
	charge("no key", "", http.StatusUnauthorized)

	listed := admin(t, provider, http.MethodGet, "", "", http.StatusOK)
	if !strings.Contains(listed, `"tag":"v2","enabled":true,"accepted":1,"refused":0,"last_used":"`) || strings.Contains(listed, two) {
		t.Errorf("list: got %s, want v2 with its counts and no value", listed)
	}
	standintest.WantEqual(t, "accepted", log.Identifiers("accepted"), []string{"v1", "v2", "v1"})
	standintest.WantEqual(t, "refused", log.Identifiers("refused"), []string{"v1", history.UnknownIdentifier, history.UnknownIdentifier})
	standintest.WantEqual(t, "learned", log.Identifiers("learned"), []string{"v1", "v2", "v1"})
	standintest.WantEqual(t, "forgot", log.Identifiers("forgot"), []string{"v1", "v1"})
	if line := log.Lines("refused")[0]; line.Presenter != "shop" || line.Status != "401" {
		t.Errorf("refused: got %+v, want shop and 401", line)
	}
	if n := standintest.Served(t, provider); n != 6 {
		t.Errorf("served: got %d, want 6", n)
	}
}

func TestProviderAdminIsGuarded(t *testing.T) {
	provider, log := serveProvider(t)
	for _, token := range []string{"", "wrong", adminToken + "x"} {
		if status, _ := standintest.Call(t, http.MethodPut, provider+"/admin/keys/v1", token, strings.NewReader(`{"value": "v"}`)); status != http.StatusUnauthorized {
			t.Errorf("with token %q: got %d, want 401", token, status)
		}
	}
	for _, body := range []string{"", "{}", `{"value": 7}`, `{"value": ""}`} {
		admin(t, provider, http.MethodPut, "/v1", body, http.StatusBadRequest)
	}
	admin(t, provider, http.MethodPost, "/v9/enable", "", http.StatusNotFound)
	if n := len(log.Lines("learned")); n != 0 {
		t.Errorf("learned: got %d lines, want none", n)
	}
}

// pay asks for one charge.
func pay(t *testing.T, provider, key, order, idempotency string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, provider+"/charges", strings.NewReader(`{"order": "`+order+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", ChargerAgent+"shop")
	if idempotency != "" {
		req.Header.Set(headerIdempotency, idempotency)
	}
	resp, err := standintest.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
