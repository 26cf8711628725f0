package apikey

import (
	"net/http"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

// TestProviderIsCalledAsTheTeamDoes: another method, path, header and statuses, with
// the same decision and the same log.
func TestProviderIsCalledAsTheTeamDoes(t *testing.T) {
	provider, log := standintest.Serve(t, ServeProvider, map[string]any{
		"name": "payments", "account": "acme", "admin_token": adminToken,
		"call": map[string]any{"method": "PUT", "path": "/v1/charges", "header": "X-Api-Key", "answers": 200, "refuses": 403},
	})
	standintest.AwaitReady(t, provider)
	const key = `sk "one" @0123456789`
	log.Forbid(key)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "sk \"one\" @0123456789"}`, http.StatusCreated)
	for _, tt := range []struct {
		method, path, header, key string
		want                      int
	}{
		{"PUT", "/v1/charges", "X-Api-Key", key, http.StatusOK},
		{"PUT", "/v1/charges", "X-Api-Key", "another", http.StatusForbidden},
		{"PUT", "/v1/charges", "Authorization", "Bearer " + key, http.StatusForbidden},
		{"POST", "/v1/charges", "X-Api-Key", key, http.StatusMethodNotAllowed},
		{"POST", "/charges", "Authorization", "Bearer " + key, http.StatusCreated},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, provider+tt.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(tt.header, tt.key)
		resp, err := standintest.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s with %s: got %d, want %d", tt.method, tt.path, tt.header, resp.StatusCode, tt.want)
		}
	}
	if accepted, refused := len(log.Lines("accepted")), len(log.Lines("refused")); accepted != 2 || refused != 2 {
		t.Errorf("the log has %d accepted and %d refused, want 2 and 2", accepted, refused)
	}
}
