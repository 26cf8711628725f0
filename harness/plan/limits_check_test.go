package plan

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestLimitsCheck(t *testing.T) {
	good := func() Limits {
		return Limits{
			Speed: 60, Objective: 0.999, Lead: time.Hour,
			Validators: []Validator{{Name: "shop", Learns: runbook.Forever, Forgets: runbook.Forever}},
			Emitters:   []Emitter{{Name: "auth", Refresh: time.Minute}},
			Clients:    []Client{{Name: "web", Rate: 200, Sessions: 50, Life: time.Minute}},
			Caches:     []Cache{{Name: "edge", TTL: time.Minute}},
		}
	}
	for _, tt := range []struct {
		name string
		set  func(*Limits)
		want string // empty: they hold
	}{
		{"as a plan has them", func(*Limits) {}, ""},
		{"no speed", func(l *Limits) { l.Speed = 0 }, "speed is 0"},
		{"hardly any speed", func(l *Limits) { l.Speed = 1e-300 }, "speed is 1e-300"},
		{"endless speed", func(l *Limits) { l.Speed = math.Inf(1) }, "speed is +Inf"},
		{"more than everything", func(l *Limits) { l.Objective = 1.5 }, "objective is 1.5"},
		{"less than nothing", func(l *Limits) { l.BudgetOver = -1 }, "budget_over is -1"},
		{"a negative lead", func(l *Limits) { l.Lead = -1 }, "lead_ns is -1"},
		{"a watch of two hundred years", func(l *Limits) { l.Watch = 2 * longest }, "watch_ns is"},
		{"a validator", func(l *Limits) { l.Validators[0].Learns = -1 }, "validators[0].learns_ns is -1"},
		{"an emitter", func(l *Limits) { l.Emitters[0].Refresh = -1 }, "emitters[0].refresh_ns is -1"},
		{"a cache", func(l *Limits) { l.Caches[0].TTL = -1 }, "caches[0].ttl_ns is -1"},
		{"a client's life", func(l *Limits) { l.Clients[0].Life = -1 }, "clients[0].life_ns is -1"},
		{"a client's rate", func(l *Limits) { l.Clients[0].Rate = math.Inf(1) }, "clients[0].rate is +Inf"},
		{"a client's sessions", func(l *Limits) { l.Clients[0].Sessions = 1_000_000_000 }, "clients[0].sessions is 1000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := good()
			tt.set(&l)
			err := l.Check()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSumsNeverTurnNegative(t *testing.T) {
	if got := add(longest, longest, longest); got != runbook.Forever {
		t.Errorf("three hundred years: got %s, want no bound", got)
	}
	if got := add(runbook.Forever, 0, time.Second); got != runbook.Forever {
		t.Errorf("no bound and a second: got %s, want no bound", got)
	}
	l := Limits{Speed: 1e6}
	if got := l.Page(longest); got < longest {
		t.Errorf("page time of a hundred years at speed 1e6: got %s, want more", got)
	}
}
