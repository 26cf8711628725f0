package plan

import "testing"

// TestASidecarDoesNotHoldTheSpeed: by a service that has no part in anything nothing is
// timed, unless the scenario says so.
func TestASidecarDoesNotHoldTheSpeed(t *testing.T) {
	for _, tt := range []struct {
		name, service string
		slow          bool
	}{
		{"a queue beside the others", "queue: {image: redis}", false},
		{"one of which it is said", "queue: {image: redis, scale: none}", true},
		{"one that asks the issuer", `queue: {image: redis, environment: {JWKS: "{{ .auth.url }}"}}`, true},
		{"one that has a key in its files", `queue: {image: redis, files: {/key: "{{ .secret.value }}"}}`, true},
	} {
		l := loaded(t, jwtPage, jwtScenario, "load:", "  "+tt.service+"\nload:")
		p := built(t, l, Options{})
		if slow := p.MaxSpeed == 1; slow != tt.slow {
			t.Errorf("%s: at most %v, because %s", tt.name, p.MaxSpeed, p.MaxSpeedBecause)
		}
	}
}
