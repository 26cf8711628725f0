package reports

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestBudgetIsOfEachAndOfAll(t *testing.T) {
	m := baseModel()
	m.Limits.Objective = 0.99
	m.Cells = []judge.Cell{
		{Source: history.FromLoad, Presenter: "web", Validator: "a", Phase: history.Baseline, Attempts: 1000},
		{Source: history.FromLoad, Presenter: "web", Validator: "b", Phase: history.Emit, Attempts: 1000, AuthFailures: 5, Unavailable: 40},
		{Source: history.FromLoad, Presenter: "app", Validator: "b", Phase: history.Emit, Attempts: 100, AuthFailures: 9},
		{Source: history.FromProbe, Presenter: "rehearse", Validator: "b", Phase: history.Emit, Attempts: 7, AuthFailures: 7},
	}
	want := [][]string{
		{"app", "100", "1.00", "9", "9.00 times", "nothing", "0", "0 %"},
		{"web", "2,000", "20.0", "5", "25.0 %", "75.0 %", "40", "200 %"},
		{"in all", "2,100", "21.0", "14", "66.7 %", "33.3 %", "40", "190 %"},
	}
	if got := budget(m).Rows; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBudgetTellsWhatUsersFeltApart(t *testing.T) {
	m := baseModel()
	m.Limits.JudgedAt, m.Limits.Objective = history.FromAuthority, 1
	m.Cells = []judge.Cell{
		{Source: history.FromLoad, Presenter: "web", Validator: "charger", Phase: history.Emit, Attempts: 50, Unavailable: 2},
		{Source: history.FromAuthority, Presenter: "charger", Validator: "provider", Phase: history.Emit, Attempts: 50, AuthFailures: 2},
	}
	want := [][]string{
		{"charger", "50", "0.00", "2", "all", "nothing", "0", "0 %"},
		{"web, as its users felt it", "50", "0.00", "0", "0 %", "100 %", "2", "all"},
	}
	if got := budget(m).Rows; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Limits.Objective = 0
	if got := budget(m); len(got.Rows) != 0 || got.Note == "" {
		t.Errorf("without an objective: got %+v, want a note alone", got)
	}
}
