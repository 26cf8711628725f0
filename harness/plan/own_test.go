package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// How a service of a team's own gets what is published follows from what its
// settings ask for.
func TestOwnServices(t *testing.T) {
	tests := []struct {
		name, service string
		distribution  string
		reads         bool
		after         time.Duration // of its reload
	}{
		{"a key set", `{image: a, environment: {JWKS: "{{ .auth.url }}/jwks"}}`, runbook.JWKS, false, 0},
		{"the store", `{image: a, files: {/etc/a: "{{ .store.path }}"}, environment: {T: "{{ .store.token }}"}}`, runbook.Poll, true, 0},
		{"its environment", `{image: a, environment: {KEY: "{{ .secret.json }}"}}`, runbook.Env, true, 0},
		{"a file", `{image: a, command: [a, "{{ .secret.file }}"]}`, runbook.File, true, 0},
		{"as it says", `{image: a, distribution: file}`, runbook.File, true, 0},
		{"a key set at a reload, once it was published", `{image: a, reload: {restart: true}}`, runbook.JWKS, false, 20 * time.Second},
		{"a key set at a reload, when it says", `{image: a, reload: {signal: HUP, after: 2m}}`, runbook.JWKS, false, 2 * time.Minute},
		{"a file at a reload, once it was written", `{image: a, distribution: file, reload: {signal: HUP}}`, runbook.File, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := loaded(t, jwtPage, jwtScenario, "search: {serve: verifier, library: jwx, of: edge}", "search: "+tt.service)
			p := built(t, l, Options{})
			for _, s := range p.Services {
				if s.Name != "search" {
					continue
				}
				if s.Distribution != tt.distribution || s.Reads != tt.reads {
					t.Errorf("got %s, reads %t; want %s, %t", s.Distribution, s.Reads, tt.distribution, tt.reads)
				}
				if s.Reload != nil && s.Reload.After.Duration() != tt.after {
					t.Errorf("reload: got after %v, want %v", s.Reload.After, tt.after)
				}
			}
		})
	}
}

func TestRefills(t *testing.T) {
	for _, tt := range []struct {
		name      string
		validator Validator
		want      time.Duration
	}{
		{"by expiry", Validator{Learns: 15 * time.Minute, Forgets: 20 * time.Minute}, 15 * time.Minute},
		{"on a miss, and when what it has expires", Validator{OnMiss: true, Learns: 30 * time.Second, Forgets: 10 * time.Minute}, 10 * time.Minute},
		{"never", Validator{OnMiss: true, Learns: 30 * time.Second, Forgets: runbook.Forever}, runbook.Forever},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.validator.Refills(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			tt.validator.Name = "search"
			waited := len(Limits{Validators: []Validator{tt.validator}}.Timed()) > 0
			if want := tt.want != runbook.Forever; waited != want {
				t.Errorf("waited for: got %t, want %t", waited, want)
			}
		})
	}
}
