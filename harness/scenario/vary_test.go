package scenario

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// minutesLong is so many minutes of page time.
func minutesLong(n float64) runbook.Duration { return runbook.Duration(n * float64(time.Minute)) }

// TestDraws holds what is drawn against what each distribution says: how much lies beyond
// a length, and where its ends are.
func TestDraws(t *testing.T) {
	five := minutesLong(5)
	for _, tt := range []struct {
		name        string
		d           Distribution
		beyond      time.Duration
		chance      float64
		least, most time.Duration
	}{
		{"fixed", Distribution{Fixed: &five}, 4 * time.Minute, 1, 5 * time.Minute, 5 * time.Minute},
		{"fixed, and no more", Distribution{Fixed: &five}, 5 * time.Minute, 0, 5 * time.Minute, 5 * time.Minute},
		{"uniform", Distribution{Uniform: []runbook.Duration{minutesLong(2), minutesLong(6)}}, 5 * time.Minute, 0.25, 2 * time.Minute, 6 * time.Minute},
		{"uniform of one length", Distribution{Uniform: []runbook.Duration{five, five}}, 5 * time.Minute, 0, 5 * time.Minute, 5 * time.Minute},
		{"lognormal at its median", Distribution{LogNormal: &LogNormal{minutesLong(1), minutesLong(10)}}, time.Minute, 0.5, 0, 24 * time.Hour},
		{"lognormal at its p99", Distribution{LogNormal: &LogNormal{minutesLong(1), minutesLong(10)}}, 10 * time.Minute, 0.01, 0, 24 * time.Hour},
		{"lognormal of one length", Distribution{LogNormal: &LogNormal{five, five}}, 4 * time.Minute, 1, 5 * time.Minute, 5 * time.Minute},
		{"measured", Distribution{Measured: []runbook.Duration{minutesLong(1), minutesLong(1), minutesLong(1), minutesLong(9)}}, 5 * time.Minute, 0.25, time.Minute, 9 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const draws = 20_000
			random, beyond := rand.New(rand.NewPCG(1, 2)), 0
			for range draws {
				d := tt.d.Draw(random)
				if d < tt.least || d > tt.most {
					t.Fatalf("drawn: got %s, want one from %s to %s", d, tt.least, tt.most)
				}
				if d > tt.beyond {
					beyond++
				}
			}
			if got := float64(beyond) / draws; got < tt.chance-0.015 || got > tt.chance+0.015 {
				t.Errorf("drawn beyond %s: got %.4f of all, want about %.4f", tt.beyond, got, tt.chance)
			}
			if got := tt.d.Beyond(tt.beyond); got < tt.chance-1e-9 || got > tt.chance+1e-9 {
				t.Errorf("chance beyond %s: got %g, want %g", tt.beyond, got, tt.chance)
			}
		})
	}
}

// TestOneMoreThatVariesChangesNoOther draws by seed and path alone.
func TestOneMoreThatVariesChangesNoOther(t *testing.T) {
	life := Distribution{Uniform: []runbook.Duration{minutesLong(1), minutesLong(30)}}
	l := &Loaded{Scenario: Scenario{
		Services: map[string]Service{"cdn": {TTL: minutesLong(5)}, "auth": {Refresh: minutesLong(1)}},
		Vary:     map[string]Distribution{"services.cdn.ttl": life},
	}}
	first := l.Drawn(7)
	if got := first.Durations()["services.cdn.ttl"]; got == 5*time.Minute || got != l.Drawn(7).Durations()["services.cdn.ttl"] || got == l.Drawn(8).Durations()["services.cdn.ttl"] {
		t.Errorf("drawn: got %s, want another than 5m, the same for a seed, and another for another", got)
	}
	if l.Scenario.Services["cdn"].TTL != minutesLong(5) {
		t.Error("the scenario itself was changed")
	}
	l.Scenario.Vary = map[string]Distribution{"services.cdn.ttl": life, "services.auth.refresh": life}
	both := l.Drawn(7).Durations()
	if got, want := both["services.cdn.ttl"], first.Durations()["services.cdn.ttl"]; got != want || got == both["services.auth.refresh"] {
		t.Errorf("with one more: got %s and %s, want %s and another", got, both["services.auth.refresh"], want)
	}
}

func TestVaryIsChecked(t *testing.T) {
	for _, tt := range []struct{ name, vary, want string }{
		{"good", "services.auth.refresh: {uniform: [20s, 60s]}", ""},
		{"good too", "load.web.token.life: {lognormal: {median: 5m, p99: 15m}}", ""},
		{"no such duration", "services.auth.refesh: {fixed: 20s}", `no duration of a service or a client is called "services.auth.refesh"`},
		{"of the page", "rollout.lead: {fixed: 20s}", `no duration of a service or a client is called "rollout.lead"`},
		{"two at once", "services.auth.refresh: {fixed: 20s, measured: [20s]}", "want one of fixed, uniform, lognormal, measured and measured_in, and there are 2"},
		{"none", "services.auth.refresh: {}", "and there are 0"},
		{"the wrong way round", "services.auth.refresh: {uniform: [60s, 20s]}", "want the least and the most"},
		{"three", "services.auth.refresh: {uniform: [10s, 20s, 60s]}", "want the least and the most"},
		{"a tail before the median", "services.auth.refresh: {lognormal: {median: 60s, p99: 20s}}", "p99 at least as much"},
		{"nothing measured", "services.auth.refresh: {measured: []}", "nothing was measured"},
		{"no duration", "services.auth.refresh: {fixed: 20}", "without a unit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "example", "scenario.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(files(t, map[string]string{"scenario.yaml": string(text) + "vary:\n  " + tt.vary + "\n"}), "scenario.yaml")
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want one with %q", err, tt.want)
			}
		})
	}
}
