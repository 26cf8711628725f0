package apikey

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

func TestProviderDashboard(t *testing.T) {
	account := `acme <script>alert(1)</script> & "sons"`
	provider, log := standintest.Serve(t, ServeProvider, map[string]any{
		"name": "payments", "account": account, "admin_token": adminToken, "lag": "1h",
	})
	standintest.AwaitReady(t, provider)
	values := []string{"sk_one_0123456789", "sk_two_0123456789"}
	log.Forbid(values...)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+values[0]+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPut, "/%3Cb%3Ev2", `{"value": "`+values[1]+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPut, "/v3", `{"value": "sk_three"}`, http.StatusConflict)
	admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
	for _, key := range []string{"n1", "n1", ""} {
		if got := pay(t, provider, values[0], "o1", key); got != http.StatusCreated {
			t.Errorf("pay with a key that was disabled less than the lag ago: got %d, want 201", got)
		}
	}

	_, text := standintest.Call(t, http.MethodGet, provider+"/dashboard.json", "", nil)
	var shown struct {
		Account     string
		Slots, Free int
		Keys        []struct {
			Tag        string
			Enabled    bool
			Accepted   int
			LastUsed   time.Time `json:"last_used"`
			TakenUntil time.Time `json:"taken_until"`
		}
		Ledger LedgerTotals
	}
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatalf("got %s: %v", text, err)
	}
	if shown.Account != account || shown.Slots != 2 || shown.Free != 0 || len(shown.Keys) != 2 {
		t.Errorf("got %+v, want the account with 2 slots, none of them free", shown)
	}
	for _, key := range shown.Keys {
		if key.Tag == "v1" && (key.Enabled || key.Accepted != 3 || key.LastUsed.IsZero() || key.TakenUntil.IsZero()) {
			t.Errorf("v1: got %+v, want it disabled, and taken three times since", key)
		}
	}
	if want := (LedgerTotals{Charges: 2, Again: 1, Replayed: 1}); shown.Ledger != want {
		t.Errorf("ledger: got %+v, want %+v", shown.Ledger, want)
	}

	status, page := standintest.Call(t, http.MethodGet, provider+"/dashboard", "", nil)
	if status != http.StatusOK {
		t.Fatalf("page: got %d, want 200", status)
	}
	for _, want := range []string{
		"acme &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;sons&#34;", "<code>&lt;b&gt;v2</code>", "No slot is free",
		"disabled, still accepted for", "known in the whole account",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page: want %q in it, got %s", want, page)
		}
	}
	for _, never := range append(values, adminToken, "<script", "<b>", "http://", "https://", "src=") {
		if strings.Contains(page, never) || strings.Contains(text, never) && !strings.HasPrefix(never, "<") {
			t.Errorf("dashboard: got %q in it", never)
		}
	}
}
