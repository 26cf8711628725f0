package family

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestFamiliesAreThoseOfThePage(t *testing.T) {
	got, want := slices.Sorted(maps.Keys(Families)), runbook.FamilyNames()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: what a page can say can be rehearsed", got, want)
	}
	var p plan.Plan
	p.Runbook.Scope.Family = "horse"
	if _, err := Of(&p); err == nil || !strings.Contains(err.Error(), "horse") || !strings.Contains(err.Error(), "api-key") {
		t.Errorf("family horse: got %v, want an error that names it and what is built in", err)
	}
}

func TestConfigure(t *testing.T) {
	p := planOf(t, jwtPage, jwtScenario)
	reads := func(every time.Duration, pinned bool) contract.Published {
		return contract.Published{Refresh: contract.Duration(every), Pinned: pinned}
	}
	want := map[string]contract.Config{
		"auth":     &contract.Issuer{Name: "auth", Issuer: "{{ .auth.url }}", Published: reads(2*time.Second, false)},
		"legacy":   &contract.Issuer{Name: "legacy", Issuer: "{{ .auth.url }}", Published: reads(6*time.Second, true)},
		"cdn":      &contract.Cache{Name: "cdn", Of: "{{ .auth.url }}", TTL: contract.Duration(30 * time.Second)},
		"checkout": &contract.Verifier{Name: "checkout", Library: "keyfunc", JWKS: "{{ .auth.url }}/.well-known/jwks.json", Issuer: "{{ .auth.url }}", Speed: 10},
		"search":   &contract.Verifier{Name: "search", Library: "jwx", JWKS: "{{ .cdn.url }}/.well-known/jwks.json", Issuer: "{{ .auth.url }}", Speed: 10},
		"shadow":   &contract.Verifier{Name: "shadow", Library: "go-oidc", JWKS: "{{ .legacy.url }}/.well-known/jwks.json", Issuer: "{{ .auth.url }}", Speed: 10},
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
	tokens := map[string]bool{}
	for range 2 {
		p := planOf(t, keyPage, keyScenario)
		for _, s := range p.Services {
			switch s.Name {
			case "billing":
				want := &contract.Charger{Name: "billing", Provider: "{{ .payments.url }}", Published: contract.Published{Refresh: contract.Duration(2 * time.Second)}}
				if !reflect.DeepEqual(s.Config, want) {
					t.Errorf("billing: got %v, want %v", s.Config, want)
				}
			case "payments":
				config := s.Config.(*contract.Provider)
				if config.Account != "payments-key" || config.Name != "payments" {
					t.Errorf("payments: got %v, want its name and the page's as the account", s.Config)
				}
				tokens[config.AdminToken] = true
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
		if s.Name == "search" && s.Config.(*contract.Verifier).JWKS != "{{ .cdn.url }}/oauth/keys" {
			t.Errorf("search: got %v, want the page's path at the cache", s.Config)
		}
	}
}
