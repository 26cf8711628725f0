package apikey

import (
	"net/http"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestProviderIdempotency shows two attempts at one order to a provider: the
// first with v1, which is disabled where it is to be refused, the second with v2.
func TestProviderIdempotency(t *testing.T) {
	for _, tt := range []struct {
		name     string
		provider map[string]any
		refused  bool // the first attempt
		key      string
		statuses []int
		effects  []history.Effect
	}{
		{"within the account", nil, false, "n1", []int{201, 201}, []history.Effect{"made", "replayed"}},
		{"within the API key", map[string]any{"idempotency": "key"}, false, "n1", []int{201, 201}, []history.Effect{"made", "again"}},
		{"not at all", map[string]any{"idempotency": "none"}, false, "n1", []int{201, 201}, []history.Effect{"made", "again"}},
		{"without a name", nil, false, "", []int{201, 201}, []history.Effect{"made", "again"}},
		{"refused before it began", nil, true, "n1", []int{401, 201}, []history.Effect{"", "made"}},
		{"refused after it was made", map[string]any{"checks_late": true}, true, "n1", []int{401, 201}, []history.Effect{"made", "replayed"}},
		{"refused after it was made, without a name", map[string]any{"checks_late": true}, true, "", []int{401, 201}, []history.Effect{"made", "again"}},
		{"answer lost", map[string]any{"fails": 1}, false, "n1", []int{504, 201}, []history.Effect{"made", "replayed"}},
		{"answer lost, without a name", map[string]any{"fails": 1}, false, "", []int{504, 201}, []history.Effect{"made", "again"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			provider, log := standintest.Serve(t, ServeProvider, standintest.With(map[string]any{"name": "payments", "account": "acme", "admin_token": adminToken}, tt.provider))
			standintest.AwaitReady(t, provider)
			admin(t, provider, http.MethodPut, "/v1", `{"value": "one-0123456789"}`, http.StatusCreated)
			admin(t, provider, http.MethodPut, "/v2", `{"value": "two-0123456789"}`, http.StatusCreated)
			log.Forbid("one-0123456789", "two-0123456789")
			if tt.refused {
				admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
			}
			var effects []history.Effect
			for i, value := range []string{"one-0123456789", "two-0123456789"} {
				if got := pay(t, provider, value, "o1", tt.key); got != tt.statuses[i] {
					t.Errorf("attempt %d: got %d, want %d", i+1, got, tt.statuses[i])
				}
			}
			for _, line := range append(log.Lines("refused"), log.Lines("accepted")...) {
				effects = append(effects, line.Effect)
				if line.Effect == "again" && (line.Earlier != "v1" || line.Was == "" || line.Order != "o1") {
					t.Errorf("got %+v, want the charge before it", line)
				}
			}
			standintest.WantEqual(t, "effects", effects, tt.effects)
		})
	}
}

func TestChargerTriesAgain(t *testing.T) {
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	for _, tt := range []struct {
		name           string
		provider, shop map[string]any
		status         int
		attempts       []int64
		settled        history.Settled
	}{
		{"refused, with the key read anew", nil, map[string]any{"retries": 1}, 200, []int64{1, 2}, "done"},
		{"refused, and nobody reads anew", nil, map[string]any{"retries": 1, "pinned": true}, 502, []int64{1, 2}, "failed"},
		{"refused, and that is the end", nil, nil, 502, []int64{1}, "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			provider, _ := standintest.Serve(t, ServeProvider, standintest.With(map[string]any{"name": "payments", "account": "acme", "admin_token": adminToken}, tt.provider))
			standintest.AwaitReady(t, provider)
			admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusCreated)
			admin(t, provider, http.MethodPut, "/v2", `{"value": "`+two+`"}`, http.StatusCreated)
			store := standintest.NewStore(t)
			store.Publish(t, "v1", standintest.Entry("v1", one))
			shop, log := serveCharger(t, store, provider, standintest.With(map[string]any{"refresh": "1h"}, tt.shop))
			log.Forbid(one, two)
			standintest.AwaitReady(t, shop)
			store.Publish(t, "v2", standintest.Entry("v1", one), standintest.Entry("v2", two))
			admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
			if status, body := standintest.Call(t, http.MethodPost, shop+"/", "", nil); status != tt.status {
				t.Errorf("got %d %s, want %d", status, body, tt.status)
			}
			lines := log.Lines("presented")
			var attempts []int64
			for _, line := range lines {
				attempts = append(attempts, line.Attempt)
				if line.Order != lines[0].Order || line.Order == "" {
					t.Errorf("order: got %q, want the same at every attempt", line.Order)
				}
			}
			standintest.WantEqual(t, "attempts", attempts, tt.attempts)
			if got := lines[len(lines)-1].Settled; got != tt.settled {
				t.Errorf("settled: got %q, want %q", got, tt.settled)
			}
		})
	}
}

func TestChargerTriesLostAnswersAgain(t *testing.T) {
	provider, providerLog := standintest.Serve(t, ServeProvider, map[string]any{"name": "payments", "account": "acme", "admin_token": adminToken, "fails": 1})
	standintest.AwaitReady(t, provider)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "sk_one_0123456789"}`, http.StatusCreated)
	store := standintest.NewStore(t)
	store.Publish(t, "v1", standintest.Entry("v1", "sk_one_0123456789"))
	shop, log := serveCharger(t, store, provider, map[string]any{"retries": 1, "retry_after": "1ms"})
	standintest.AwaitReady(t, shop)
	if status, body := standintest.Call(t, http.MethodPost, shop+"/", "", nil); status != http.StatusOK {
		t.Errorf("got %d %s, want 200", status, body)
	}
	lines := log.Lines("presented")
	if len(lines) != 2 || lines[0].Status != "504" || lines[1].Status != "201" || lines[1].Attempt != 1 || !lines[1].Unasked {
		t.Errorf("got %+v, want a second first attempt that nobody asked for", lines)
	}
	if accepted := providerLog.Lines("accepted"); len(accepted) != 2 || accepted[1].Effect != history.EffectReplayed || !accepted[1].Idempotent {
		t.Errorf("at the provider: got %+v, want the second replayed", accepted)
	}
}
