package family

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
	}, Limits: plan.Limits{Validators: []plan.Validator{{Name: "graph", Fronts: []string{"plain"}}, {Name: "behind", Fronts: []string{"open", "graph"}}, {Name: "apart"}}}}
	asks := askings(p)
	if got := asks["behind"]; got.audience != "graph" || got.issuer != "https://id" || got.path != "" || got.header != "" {
		t.Errorf("behind graph: got %+v, want tokens as graph's clients have, in the usual way", got)
	}
	if _, ok := asks["apart"]; ok {
		t.Error("apart: got a way to ask it, want the usual one")
	}
	if _, ok := asks["open"]; ok || asks["graph"].audience != "graph" || asks["graph"].issuer != "https://id" {
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

// TestTokenLikeTheClientsOwn: what is shown to a service has the claims of its client's own
// tokens and those that the scenario says, and times and a number of its own. Without a
// token to be had it has the usual ones.
func TestTokenLikeTheClientsOwn(t *testing.T) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	own := part(`{"typ":"at+jwt","kid":"k"}`) + "." + part(`{"iss":"https://id.example","aud":["api","billing"],"sub":"ann","tenant":7,"exp":1,"iat":1,"nbf":1,"jti":"once"}`) + ".x"
	asked := 0
	probes := &tokenProbes{
		issuer: func() (string, error) { return "http://auth", nil }, algorithm: "ES256", held: map[heldKey]heldToken{},
		ofClient: func(_ context.Context, client string) (string, error) {
			if asked++; asked == 1 || client != "web" {
				return "", errors.New("not yet")
			}
			return own, nil
		},
	}
	key, err := probes.nobodys()
	if err != nil {
		t.Fatal(err)
	}
	ask := tokenRequest{like: "web", further: map[string]any{"role": "admin"}}
	for _, tt := range []struct {
		name string
		ask  tokenRequest
		want map[string]any
		typ  string
	}{
		{"no token to be had", ask, map[string]any{"iss": "http://auth", "aud": tokenAudience, "sub": ProbeAgent, "role": "admin"}, "JWT"},
		{"as the client's own", ask, map[string]any{"iss": "https://id.example", "aud": []any{"api", "billing"}, "sub": "ann", "tenant": 7.0, "role": "admin"}, "at+jwt"},
		{"but for what is said", tokenRequest{like: "web", issuer: "https://other", audience: "shop"}, map[string]any{"iss": "https://other", "aud": "shop", "tenant": 7.0}, "at+jwt"},
		{"of a stand-in's client", tokenRequest{}, map[string]any{"iss": "http://auth", "aud": tokenAudience, "client_id": ProbeAgent}, "JWT"},
	} {
		raw, _, err := probes.sign(t.Context(), key, tt.ask, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var header struct{ Typ string }
		claims := map[string]any{}
		parts := strings.Split(raw, ".")
		if contract.DecodePart(parts[0], &header) != nil || contract.DecodePart(parts[1], &claims) != nil {
			t.Fatalf("%s: got no token", tt.name)
		}
		for name, want := range tt.want {
			if !reflect.DeepEqual(claims[name], want) {
				t.Errorf("%s: %s is %v, want %v", tt.name, name, claims[name], want)
			}
		}
		if claims["jti"] == "once" || claims["exp"] == 1.0 || claims["nbf"] != nil || header.Typ != tt.typ {
			t.Errorf("%s: got %v of type %s, want times and a number of its own, and %s", tt.name, claims, header.Typ, tt.typ)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want until there was one", asked)
	}
}
