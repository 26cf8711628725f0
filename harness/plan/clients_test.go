package plan

import "testing"

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
