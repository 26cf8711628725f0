package fault

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// graphOf prepares faults among search, auth and the harness's own.
func graphOf(t *testing.T, faults ...scenario.Fault) *Graph {
	t.Helper()
	p := planOf(faults...)
	p.Services = append(p.Services, plan.Service{Name: "auth"})
	g, err := Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAdapt(t *testing.T) {
	toAuth, toStore := scenario.Fault{Kind: "cut", From: "search", To: "auth"}, scenario.Fault{Kind: "slow", From: "search", To: "store"}
	tests := []struct {
		name  string
		fault scenario.Fault
		spec  world.Spec
		want  []string // in the settings, as JSON
		not   string
	}{
		{
			"an address that is called, and one that is a name", toAuth,
			world.Spec{Name: "search", Config: &settings{"jwks": "{{ .auth.url }}/jwks.json", "issuer": "{{ .auth.url }}"}},
			[]string{`"jwks":"{{ .proxy-search-auth.url }}/jwks.json"`, `"issuer":"{{ .auth.url }}"`, `"Needs":["proxy-search-auth"]`}, "",
		},
		{
			"within a list", toAuth,
			world.Spec{Name: "search", Config: &settings{"clients": []any{map[string]any{"url": "{{ .auth.url }}"}}}},
			[]string{`{"url":"{{ .proxy-search-auth.url }}"}`}, "",
		},
		{
			"of an image", toAuth,
			world.Spec{Name: "search", Environment: map[string]string{"JWKS": "{{ .auth.url }}/x", "OIDC_ISSUER": "{{ .auth.url }}"}, Command: []string{"--at", "{{ .auth.host }}"}},
			[]string{`"JWKS":"{{ .proxy-search-auth.url }}/x"`, `"OIDC_ISSUER":"{{ .auth.url }}"`, `"{{ .proxy-search-auth.host }}"`}, "",
		},
		{
			"that is filled in already", toStore,
			world.Spec{Name: "search", Config: &settings{"store": map[string]any{"url": "http://127.0.0.1:7"}}},
			[]string{`"url":"{{ .proxy-search-store.url }}"`}, "127.0.0.1:7",
		},
		{
			"of another service", toAuth,
			world.Spec{Name: "checkout", Config: &settings{"jwks": "{{ .auth.url }}"}},
			[]string{`"jwks":"{{ .auth.url }}"`}, "proxy",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := graphOf(t, tt.fault)
			spec := tt.spec
			err := g.Adapt(&spec, func(service string) string { return map[string]string{"store": "http://127.0.0.1:7"}[service] })
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(encoded), want) {
					t.Errorf("got %s, want %s in it", encoded, want)
				}
			}
			if tt.not != "" && strings.Contains(string(encoded), tt.not) {
				t.Errorf("got %s, want no %s in it", encoded, tt.not)
			}
		})
	}
}

// A service that speaks TLS is called by TLS through the proxy before it, which has a name
// in its certificate; a cache before it would have to read what it cannot.
func TestTLSPassesTheProxy(t *testing.T) {
	secured := func(f scenario.Fault) *plan.Plan {
		p := planOf(f)
		p.Services = append(p.Services, plan.Service{Name: "auth", Service: scenario.Service{HTTPS: true}})
		return p
	}
	if _, err := Prepare(secured(scenario.Fault{Kind: "cache", From: "search", To: "auth", TTL: runbook.Duration(time.Minute)})); !errors.Is(err, ErrCannot) {
		t.Errorf("a cache: got %v, want ErrCannot", err)
	}
	g, err := Prepare(secured(scenario.Fault{Kind: "cut", From: "search", To: "auth"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Names("auth"); !slices.Equal(got, []string{"auth", "proxy-search-auth"}) || !g.passesTLS("proxy-search-auth") || g.passesTLS("auth") {
		t.Errorf("got names %q, want its own and the proxy's, which alone passes TLS on", got)
	}
	for setting, want := range map[string]string{
		"{{ .auth.url }}/jwks.json":  "https://{{ .proxy-search-auth.host }}:{{ .proxy-search-auth.port }}/jwks.json",
		"{{ .auth.url | urlquery }}": "",
	} {
		spec := world.Spec{Name: "search", Environment: map[string]string{"JWKS": setting}}
		err := g.Adapt(&spec, func(string) string { return "" })
		if want == "" && !errors.Is(err, ErrCannot) || want != "" && (err != nil || spec.Environment["JWKS"] != want) {
			t.Errorf("%s: got %q and %v, want %q", setting, spec.Environment["JWKS"], err, want)
		}
	}
}

func TestAdaptRefusesAnEdgeThatIsNotThere(t *testing.T) {
	g := graphOf(t, scenario.Fault{Kind: "cut", From: "search", To: "auth"})
	err := g.Adapt(&world.Spec{Name: "search", Config: &settings{"jwks": "{{ .cdn.url }}"}}, func(string) string { return "" })
	if err == nil || !strings.Contains(err.Error(), "no setting of search has the address of auth") {
		t.Errorf("got %v, want that search does not ask auth", err)
	}
}

func TestProxies(t *testing.T) {
	g := graphOf(t, scenario.Fault{Kind: "cut", From: "search", To: "auth"}, scenario.Fault{Kind: "slow", From: "search", To: "auth"})
	address := ""
	given := func(string) string { return address }
	specs, err := g.Proxies(given)
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) != 1 || specs[0].Serve != "proxy" || specs[0].Config.(*contract.Proxy).To != "{{ .auth.host }}:{{ .auth.port }}" {
		t.Errorf("got %+v, want one proxy to auth for both faults", specs)
	}
	if !slices.Contains(g.Secrets(), specs[0].Config.(*contract.Proxy).Token) {
		t.Error("the proxy's token is not among the secrets of the run")
	}
	// What the run did not start, as a Vault that was named, is where it is.
	address = "http://127.0.0.1:8200"
	if specs, err = g.Proxies(given); err != nil || specs[0].Config.(*contract.Proxy).To != "127.0.0.1:8200" {
		t.Errorf("got %+v, %v, want a proxy to the address that was named", specs, err)
	}
	address = "https://vault.example"
	if _, err = g.Proxies(given); !errors.Is(err, ErrCannot) {
		t.Errorf("got %v, want that nothing can be put before what speaks TLS", err)
	}
}

// TestEdgesByHand disturbs an edge that was prepared, without its scenario's order.
func TestEdgesByHand(t *testing.T) {
	s, err := New(graphOf(t, scenario.Fault{Kind: "cut", From: "search", To: "auth"}), Place{Runtime: newMachine(), History: &diary{}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range s.Injectable() {
		got = append(got, i.Kind+" "+i.Target)
	}
	for _, want := range []string{"cut search → auth", "latency search → auth", "pause search"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
	if _, err := s.byHand("partition", "auth → search"); err == nil {
		t.Error("an edge that was not prepared: got no error")
	}
}

// settings are those of a stand-in that is made up.
type settings map[string]any

// Serves is a name that no stand-in has.
func (*settings) Serves() string { return "made-up" }
