package plan

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

func TestMaxSpeed(t *testing.T) {
	const plain = "cdn: {serve: cache, of: auth, ttl: 5m}\n  edge: {serve: cache, of: cdn, ttl: 1m}\n  "
	noCaches := []string{plain, "", ", of: edge", ""}
	tests := []struct {
		name    string
		replace []string
		want    float64
		because string
	}{
		{"a cache counts in seconds", nil, 12, "the ttl of edge, 1m, must stay at least 5s, 5 times what it is kept to"},
		{"so does a token", noCaches, 24, "the token life of bot, 2m, must stay at least 5s, 5 times what it is kept to"},
		{"a refresh of the page", append([]string{"life: 2m, ", ""}, noCaches...), 40, "the refresh of auth, 20s, must stay at least 500ms, 5 times what it is kept to"},
		{"a refresh of the scenario", append([]string{"life: 2m, ", "", "{serve: issuer}", "{serve: issuer, refresh: 5s}"}, noCaches...), 10,
			"the scenario's refresh of auth, 5s, must stay at least 500ms, 5 times what it is kept to"},
		{"a library that rounds to seconds", append([]string{"life: 2m, ", "", "refresh: 20s", "refresh: 1m"}, noCaches...), 90,
			"search learns within, 15m, must stay at least 10s, 5 times what it is kept to"},
		{"a short lead", append([]string{"lead: 5m", "lead: 2s"}, noCaches...), 4, "rollout.lead, 2s, must stay at least 500ms, 5 times what it is kept to"},
		{"no lead does not count", append([]string{"lead: 5m", "lead: 0s"}, noCaches...), 24, "the token life of bot, 2m, must stay at least 5s, 5 times what it is kept to"},
		{"page time is always possible", append([]string{"lead: 5m", "lead: 100ms"}, noCaches...), 1, "rollout.lead, 100ms, must stay at least 500ms, 5 times what it is kept to"},
		{"a service that does not scale", []string{"{serve: issuer}", "{serve: issuer, scale: none}"}, 1, "the settings of auth are not scaled (scale: none)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := loaded(t, jwtPage, jwtScenario, tt.replace...)
			p := built(t, l, Options{})
			if p.MaxSpeed != tt.want || p.MaxSpeedBecause != tt.because {
				t.Errorf("got %v because %s\nwant %v because %s", p.MaxSpeed, p.MaxSpeedBecause, tt.want, tt.because)
			}
			if _, err := Build(l, Options{Speed: p.MaxSpeed}); err != nil {
				t.Errorf("at the largest speed: %v, want it allowed", err)
			}
			if _, err := Build(l, Options{Speed: p.MaxSpeed + 0.01}); err == nil {
				t.Errorf("a little above the largest speed: no error, want one")
			}
		})
	}
}

// The example's own image does not scale, and its speed is 60: that, and
// nothing else, is wrong with it.
func TestExample(t *testing.T) {
	l, err := scenario.LoadFile("../scenario/testdata/example/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := "../scenario/testdata/example/scenario.yaml:6:8: speed: 60 cannot be rehearsed: the settings of reports are not scaled (scale: none) (at most 1)"
	if _, err := Build(l, Options{}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	p, err := Build(l, Options{Speed: 1})
	if err != nil {
		t.Fatalf("at speed 1: %v", err)
	}
	if _, err := Build(l, Options{Speed: 0.5}); err == nil {
		t.Errorf("at speed 0.5: no error, want one")
	}
	if len(p.Limits.Validators) != 2 {
		t.Errorf("validators: got %+v, want checkout and search", p.Limits.Validators)
	}
	scaled := *l
	scaled.Scenario.Services = map[string]scenario.Service{}
	for name, s := range l.Scenario.Services {
		if name != "reports" {
			scaled.Scenario.Services[name] = s
		}
	}
	if p, err = Build(&scaled, Options{}); err != nil || p.MaxSpeed != 60 {
		t.Errorf("without the image: got %+v, %v, want 60 as the largest speed", p, err)
	}
}

// TestPace is that of a person: half a minute for lead, window and watch, unless a
// speed is asked for; never faster than the scenario and never slower than its page.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replace []string
		options Options
		want    float64
	}{
		{"the shortest decides", []string{"lead: 5m", "lead: 2m"}, Options{Paced: true}, 4},
		{"what is asked for", []string{"lead: 5m", "lead: 2m"}, Options{Paced: true, Speed: 6}, 6},
		{"nobody is to act", []string{"lead: 5m", "lead: 2m"}, Options{}, 10},
		{"a lead of nothing", []string{"lead: 5m", "lead: 0s"}, Options{Paced: true}, 10},
		{"no slower than the page", []string{"lead: 5m", "lead: 10s"}, Options{Paced: true}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := loaded(t, jwtPage, jwtScenario, tt.replace...)
			l.Scenario.Speed = 10
			p := built(t, l, tt.options)
			if p.Speed != tt.want || p.Limits.Speed != tt.want {
				t.Errorf("speed: got %v, limits %v, want %v", p.Speed, p.Limits.Speed, tt.want)
			}
		})
	}
}

// Who varies a duration gets the speed that it allows, and nobody else does.
func TestSlower(t *testing.T) {
	for _, tt := range []struct {
		lead   string
		slower bool
		want   float64 // 0: an error
	}{{"lead: 6s", false, 0}, {"lead: 6s", true, 12}, {"lead: 5m", true, 15}} {
		l := loaded(t, jwtPage, jwtScenario, "lead: 5m", tt.lead)
		p, err := Build(l, Options{Simulated: true, Speed: 15, Slower: tt.slower})
		if tt.want == 0 && err == nil || tt.want != 0 && (err != nil || p.Speed != tt.want || p.Limits.Speed != tt.want) {
			t.Errorf("%s, slower %t: got error %v, want speed %v", tt.lead, tt.slower, err, tt.want)
		}
	}
}
