package plan

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// rotated is a scenario that is attached, with a rotator.
func rotated(t *testing.T, rotator, more string) *scenario.Loaded {
	t.Helper()
	text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\n" + more + `
attach:
  urls: {auth: "http://127.0.0.1:1", checkout: "http://127.0.0.1:2", search: "http://127.0.0.1:3"}
  rotator: ` + rotator + `
load: [{client: web, to: search, rate: 1/s, token: {}}]
`
	l, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(jwtPage)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRotator(t *testing.T) {
	for _, tt := range []struct {
		name, rotator, more string
		options             Options
		gates               scenario.GateMode
		refused             string
	}{
		{"nobody may stop it: gates observe", `{command: [a]}`, "", Options{}, scenario.Observe, ""},
		{"it may be ended: gates are enforced", `{command: [a], may_end: true}`, "", Options{}, scenario.Enforce, ""},
		{"enforced, and nobody may stop it", `{command: [a]}`, "gates: enforce", Options{}, "", "s.yaml:4:8: gates: nobody may stop the rotator, and a gate that is enforced would have to (gates: observe; or say attach.rotator.stop, or may_end)"},
		{"asked for", `{command: [a]}`, "", Options{Gates: scenario.Enforce}, "", "--gates: nobody may stop the rotator"},
		{"the way back is asked for, and there is none", `{command: [a], may_end: true}`, "rollback_from: emit", Options{}, "", "s.yaml:4:16: rollback_from: the rotator cannot be stopped and its rotation taken back"},
		{"the way back", `{command: [a], may_end: true, back: {command: [b]}}`, "", Options{RollbackFrom: "emit"}, scenario.Enforce, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Build(rotated(t, tt.rotator, tt.more), tt.options)
			switch {
			case tt.refused == "" && (err != nil || p.Gates != tt.gates):
				t.Errorf("got %v, %v; want %s", p, err, tt.gates)
			case tt.refused != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.refused)):
				t.Errorf("got %v, want %s", err, tt.refused)
			}
		})
	}
}

// The bounds are held against what a rotator was seen to let pass.
func TestBoundsOfARotator(t *testing.T) {
	step := func(at float64, step, credential string) history.Event {
		return history.Event{At: moment(at), Kind: history.KindStep, Step: step, Credential: credential}
	}
	overlap := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindPhase, Phase: history.Overlap}
	}
	for _, tt := range []struct {
		name   string
		limits func(*Limits)
		events []history.Event
		broken string
	}{
		{"long enough", nil, []history.Event{step(1, "accept", "k2"), step(8, "emit", "k2"), overlap(9), step(25, "revoke", "k1")}, ""},
		{"emits too early", nil, []history.Event{step(1, "accept", "k2"), step(3, "emit", "k2"), overlap(4), step(25, "revoke", "k1")},
			"G1: the lead is 2m and must be at least 7m for search (learns 5m + refresh of auth 1m + propagation 30s): what the rotator lets pass between accept and emit"},
		{"too early by less than can be seen", nil, []history.Event{step(1, "accept", "k2"), step(7.2, "emit", "k2"), overlap(8), step(25, "revoke", "k1")}, ""},
		{"revokes too early", nil, []history.Event{step(1, "accept", "k2"), step(8, "emit", "k2"), overlap(9), step(15, "revoke", "k1")},
			"G2: the window is 6m and must be at least 17m (longest life 15m + propagation 30s): what the rotator lets pass between the last switch and the revoke"},
		{"revokes before it emits", nil, []history.Event{step(1, "accept", "k2"), step(8, "revoke", "k1"), step(9, "emit", "k2"), overlap(9)},
			"G2: the window is 0s and must be at least 17m (longest life 15m + propagation 30s): what the rotator lets pass between the last switch and the revoke"},
		{"it has not emitted", nil, []history.Event{step(1, "accept", "k2")}, ""},
		{"an authority has what it takes", func(l *Limits) { l.Validators[0].Authority = true }, []history.Event{step(2, "accept", "k2"), step(2, "emit", "k2"), overlap(3), step(25, "revoke", "k1")}, ""},
		{"the run revokes, and as the page says", func(l *Limits) { l.Rotated = []string{"accept", "emit"} }, []history.Event{step(1, "accept", "k2"), step(8, "emit", "k2"), overlap(9), step(10, "revoke", "k1")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := seenLimits()
			l.Rotated = []string{"accept", "emit", "revoke"}
			l.Lead, l.Window = time.Hour, time.Hour
			if tt.limits != nil {
				tt.limits(&l)
			}
			var broken []string
			for _, b := range l.BoundsSeen(sightOf(nil, tt.events...)) {
				if !b.Held {
					broken = append(broken, b.Rule+": "+b.Short()+": "+b.Field)
				}
			}
			if got := strings.Join(broken, "\n"); got != tt.broken {
				t.Errorf("got %s\nwant %s", got, tt.broken)
			}
		})
	}
}
