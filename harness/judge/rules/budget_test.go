package rules_test

import (
	"math"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	refusals := refuse("app", "k2", 28, 30, 10)
	for _, tt := range []struct {
		name       string
		changes    []change
		app, total float64 // spent
	}{
		{"nothing failed", nil, 0, 0},
		{"much failed", []change{refusals}, 80 / 6.05, 80 / 12.1},
		{"nothing may fail", []change{refusals, limit(func(l *plan.Limits) { l.Objective = 1 })}, -1, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := judged(t, tt.changes...).Budget
			spent := map[string]float64{}
			for _, c := range b.Clients {
				spent[c.Presenter] = c.SpentRatio
			}
			same := func(got, want float64) bool { return math.Abs(got-want) < 0.01 }
			if len(b.Clients) != 2 || spent["web"] != 0 || !same(spent["app"], tt.app) || !same(b.Total.SpentRatio, tt.total) {
				t.Errorf("got %+v, want %.2f of it spent by app, nothing by web and %.2f in all", b, tt.app, tt.total)
			}
			if b.Total.Attempts != 12100 {
				t.Errorf("attempts in all: got %d, want 12100", b.Total.Attempts)
			}
		})
	}
	if b := judged(t, refuse("app", "k2", 28, 30, 10)).Budget; b.Total.AuthFailures == 0 || b.Total.AuthFailures != b.Clients[0].AuthFailures {
		t.Errorf("auth failures: got %+v, want those of app alone", b)
	}
}
