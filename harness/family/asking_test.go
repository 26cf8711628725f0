package family

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestAskings: a service of a team's own is asked as its first client asks it,
// and its answers are read as the scenario says.
func TestAskings(t *testing.T) {
	p := &plan.Plan{Rehearsal: scenario.Scenario{
		Services: map[string]scenario.Service{
			"graph": {Refusal: &scenario.Refusal{Body: "UNAUTHENTICATED"}},
		},
		Load: []scenario.Client{
			{To: "graph", Token: &scenario.Token{Issuer: "https://id", Audience: "graph", Header: "X-Token"}, Request: scenario.Request{
				Method: "POST", Path: "/graphql", Body: `{"query":"{me}"}`, Headers: map[string]string{"Accept": "application/json"},
			}},
			{To: "graph", Token: &scenario.Token{Audience: "another client's"}, Request: scenario.Request{Method: "GET", Path: "/"}},
			{To: "plain", Token: &scenario.Token{}, Request: scenario.Request{Method: "GET", Path: "/"}},
			{To: "open", Request: scenario.Request{Method: "GET", Path: "/"}},
		},
	}}
	asks := askings(p)
	if _, there := asks["open"]; there || asks["graph"].audience != "graph" || asks["graph"].issuer != "https://id" {
		t.Errorf("got %+v, want graph as its first client asks it, and nobody who is shown no token", asks)
	}
	for _, tt := range []struct {
		name, service, token string
		want                 history.Outcome
	}{
		{"taken", "graph", "good", history.OK},
		{"refused in a 200", "graph", "bad", history.AuthFailure},
		{"taken as usual", "plain", "good", history.OK},
		{"refused as usual", "plain", "bad", history.AuthFailure},
		{"who has no client", "nobody", "good", history.OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/graphql" {
					body, _ := io.ReadAll(r.Body)
					if r.Method != "POST" || string(body) != `{"query":"{me}"}` || r.Header.Get("Accept") != "application/json" {
						t.Errorf("got %s of %s with %v, want the client's own request", r.Method, body, r.Header)
					}
					if r.Header.Get("X-Token") != "good" {
						_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHENTICATED"}]}`)
					}
					return
				}
				if r.Header.Get("Authorization") != "Bearer good" {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			defer server.Close()
			probe, err := asks[tt.service].show(t.Context(), server.URL, tt.token)
			if err != nil || probe.Outcome != tt.want {
				t.Errorf("got %s, %v, want %s", probe.Outcome, err, tt.want)
			}
		})
	}
}
