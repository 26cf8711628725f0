package family

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestFamiliesAreThoseOfThePage(t *testing.T) {
	got, want := slices.Sorted(maps.Keys(Families)), runbook.FamilyNames()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: what a page can say can be rehearsed", got, want)
	}
	var p plan.Plan
	p.Page.Scope.Family = "horse"
	if _, err := Of(&p); err == nil || !strings.Contains(err.Error(), "horse") || !strings.Contains(err.Error(), "api-key") {
		t.Errorf("family horse: got %v, want an error that names it and what is built in", err)
	}
}

func TestConfigure(t *testing.T) {
	p := planOf(t, jwtPage, jwtScenario)
	want := map[string]map[string]any{
		"auth":     {"name": "auth", "issuer": "{{ .auth.url }}", "refresh": "2s", "pinned": false},
		"legacy":   {"name": "legacy", "issuer": "{{ .auth.url }}", "refresh": "6s", "pinned": true},
		"cdn":      {"name": "cdn", "of": "{{ .auth.url }}", "ttl": "30s"},
		"checkout": {"name": "checkout", "library": "keyfunc", "jwks": "{{ .auth.url }}/.well-known/jwks.json", "issuer": "{{ .auth.url }}", "speed": 10.0},
		"search":   {"name": "search", "library": "jwx", "jwks": "{{ .cdn.url }}/.well-known/jwks.json", "issuer": "{{ .auth.url }}", "speed": 10.0},
		"shadow":   {"name": "shadow", "library": "go-oidc", "jwks": "{{ .legacy.url }}/.well-known/jwks.json", "issuer": "{{ .auth.url }}", "speed": 10.0},
		"reports":  nil,
	}
	for _, s := range p.Services {
		if !reflect.DeepEqual(s.Config, want[s.Name]) {
			t.Errorf("%s: got %v, want %v", s.Name, s.Config, want[s.Name])
		}
	}
	if got := Authorities(p); got != nil {
		t.Errorf("authorities: got %q, want none: what is published decides", got)
	}
}

func TestConfigureAPIKey(t *testing.T) {
	tokens := map[any]bool{}
	for range 2 {
		p := planOf(t, keyPage, keyScenario)
		for _, s := range p.Services {
			switch s.Name {
			case "billing":
				want := map[string]any{"name": "billing", "provider": "{{ .payments.url }}", "refresh": "2s", "pinned": false,
					"retries": 0, "retry_after": "0s", "anonymous": false}
				if !reflect.DeepEqual(s.Config, want) {
					t.Errorf("billing: got %v, want %v", s.Config, want)
				}
			case "payments":
				if s.Config["account"] != "payments-key" || s.Config["name"] != "payments" {
					t.Errorf("payments: got %v, want its name and the page's as the account", s.Config)
				}
				tokens[s.Config["admin_token"]] = true
			}
		}
	}
	if len(tokens) != 2 {
		t.Errorf("got %d admin tokens in 2 runs, want one for each", len(tokens))
	}
}

func TestKeySetOfAnImage(t *testing.T) {
	page := strings.Replace(jwtPage, "jwks: /.well-known/jwks.json", "jwks: /oauth/keys", 1)
	// An image may serve it anywhere.
	other := planOf(t, page, strings.NewReplacer("auth: {serve: issuer}", `auth: {image: "acme/auth:1", scale: full}`,
		"legacy: {serve: issuer, refresh: 1m, pinned: true}", `legacy: {image: "acme/auth:0", scale: full}`).Replace(jwtScenario))
	for _, s := range other.Services {
		if s.Name == "search" && s.Config["jwks"] != "{{ .cdn.url }}/oauth/keys" {
			t.Errorf("search: got %v, want the page's path at the cache", s.Config["jwks"])
		}
	}
}
