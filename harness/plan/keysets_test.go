package plan

import (
	"fmt"
	"slices"
	"testing"
)

// The way of a key set is found in the settings of services of a team's own, and
// a validator whose fetches nobody tells of is known before anything is started.
func TestKeySets(t *testing.T) {
	const own = `{command: [own], scale: full, environment: {JWKS: "`
	for _, tt := range []struct {
		name, search, edge, cdn string
		of, gateways            []string
		from, via               string
		blind                   bool
	}{
		{"from the issuer", own + `{{ .auth.url }}/.well-known/jwks.json", ISS: "{{ .cdn.url }}"}}`, "", "", []string{"auth"}, nil, "auth", "", false},
		{"by its only address", own + `{{ .auth.url }}"}}`, "", "", []string{"auth"}, nil, "auth", "", false},
		{
			"through a gateway", own + `{{ .edge.url }}/.well-known/jwks.json", ISS: "{{ .auth.url }}"}}`, own + `{{.auth.url}}/.well-known/jwks.json"}}`, "",
			[]string{"edge"}, []string{"edge"}, "auth", "edge", true,
		},
		{"through a cache", own + `{{ .cdn.url }}/.well-known/jwks.json", ISS: "{{ .auth.url }}"}}`, "", "", []string{"cdn"}, nil, "auth", "cdn", false},
		{"through a balancer", own + `{{ .edge.url }}/.well-known/jwks.json"}}`, own + `{{ .auth.host }}:{{ .auth.port }} {{ .cdn.host }}"}}`, "", []string{"edge"}, []string{"edge"}, "auth", "edge", true},
		{"from nobody that is told", own + `{{ .auth.url }}", B: "{{ .cdn.url }}"}}`, "", "", nil, nil, "auth", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			replace := []string{"search: {serve: verifier, library: jwx, of: edge}", "search: " + tt.search}
			if tt.edge != "" {
				replace = append(replace, "edge: {serve: cache, of: cdn, ttl: 1m}", "edge: "+tt.edge)
			}
			p := built(t, loaded(t, jwtPage, jwtScenario, replace...), Options{})
			v, _ := p.Limits.Validator("search")
			var gateways []string
			for _, g := range p.Gateways() {
				gateways = append(gateways, g.Name)
			}
			if of := p.KeySetsOf("search"); !slices.Equal(of, tt.of) || !slices.Equal(gateways, tt.gateways) {
				t.Errorf("got key sets of %v and gateways %v, want %v and %v", of, gateways, tt.of, tt.gateways)
			}
			if tt.blind != (v.Through == "edge") {
				t.Errorf("got it through %q, want the gateway of one that is blind, which fetches from who tells", v.Through)
			}
			if v.From != tt.from || v.Via != tt.via || v.Blind != tt.blind {
				t.Errorf("got %+v, want one of %q by way of %q, blind: %v", v, tt.from, tt.via, tt.blind)
			}
		})
	}
}

// TestRelay: a relay between an issuer and a validator of a team's own adds nothing to a
// bound, keeps no speed down, and makes the fetches known.
func TestRelay(t *testing.T) {
	own := `{command: [own], scale: full, environment: {JWKS: "{{ .%s.url }}/.well-known/jwks.json"}}`
	for of, blind := range map[string]bool{"auth": true, "edge": false} {
		p := built(t, loaded(t, jwtPage, jwtScenario, "search: {serve: verifier, library: jwx, of: edge}", "search: "+fmt.Sprintf(own, of),
			"edge: {serve: cache, of: cdn, ttl: 1m}", "edge: {serve: relay, of: auth}", "auth: {serve: issuer}", "auth: {command: [own], scale: full}"), Options{})
		if v, _ := p.Limits.Validator("search"); v.Blind != blind || v.Shared != 0 || v.From != "auth" {
			t.Errorf("from %s: got %+v, want one of auth without a cache, blind: %v", of, v, blind)
		}
	}
}

// TestPollsTheStore: the store's log has who reads it, which no log does of a file; of several replicas it has not
// which.
func TestPollsTheStore(t *testing.T) {
	for own, blind := range map[string]bool{
		`{command: [own], scale: full, environment: {STORE: "{{ .store.url }}", PATH: "{{ .store.path }}"}}`: false,
		`{command: [own], scale: full, files: {/keys: "{{ .secret.jwks }}"}}`:                                true,
		`{image: own, ports: [80], scale: full, replicas: 2, environment: {STORE: "{{ .store.url }}"}}`:      true,
	} {
		p := built(t, loaded(t, jwtPage, jwtScenario, "search: {serve: verifier, library: jwx, of: edge}", "search: "+own), Options{})
		if v, _ := p.Limits.Validator("search"); v.Blind != blind || !v.Reads {
			t.Errorf("%s: got %+v, want one that reads, blind: %v", own, v, blind)
		}
	}
}
