package plan

import "testing"

// TestSignerOf: a broker of tokens signs nothing where the scenario says whose it hands on.
func TestSignerOf(t *testing.T) {
	own := func(more string) string {
		return "search: {serve: verifier, library: jwx}\n  broker: {command: [own], scale: full" + more + "}"
	}
	for _, tt := range []struct{ more, want string }{{"", "broker"}, {", of: auth", "auth"}, {", of: checkout", "broker"}} {
		p := built(t, loaded(t, jwtPage, jwtScenario, "search: {serve: verifier, library: jwx, of: edge}", own(tt.more),
			"rate: 20/s, token: {}", "rate: 20/s, token: {from: broker}"), Options{})
		if web, _ := p.Limits.Client("web"); web.From != tt.want {
			t.Errorf("broker%s: got that the tokens of web are of %s, want %s", tt.more, web.From, tt.want)
		}
		if got := p.SignerOf("broker"); got != tt.want {
			t.Errorf("broker%s: got that %s signs, want %s", tt.more, got, tt.want)
		}
		if got := p.SignerOf("auth"); got != "auth" {
			t.Errorf("auth: got that %s signs, want itself", got)
		}
	}
}

// Who reaches whom is known from the settings alone.
func TestSoleClient(t *testing.T) {
	const search = "search: {serve: verifier, library: jwx, of: edge}"
	own := func(name, at string) string {
		return name + `: {command: [own], scale: full, environment: {AT: "{{ .` + at + `.url }}"}}`
	}
	one := built(t, loaded(t, jwtPage, jwtScenario, search, own("search", "auth")), Options{})
	if sole := one.SoleClient("auth"); sole != "search" || !one.Reaches("search", "auth") || one.Reaches("search", "edge") || !one.Reaches("checkout", "auth") {
		t.Errorf("got %q as the one that reaches auth, want search, which reaches nobody else", sole)
	}
	two := built(t, loaded(t, jwtPage, jwtScenario, search, own("search", "auth")+"\n  "+own("reports", "auth")), Options{})
	if sole := two.SoleClient("auth"); sole != "" {
		t.Errorf("got %q, want nobody: reports reaches auth too", sole)
	}
	if sole := one.SoleClient("edge"); sole != "" {
		t.Errorf("got %q, want nobody: no service of a team's own reaches edge", sole)
	}
}
