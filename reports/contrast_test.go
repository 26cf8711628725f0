package reports

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestContrastIsBeforeAndAfterTheFirstChange(t *testing.T) {
	all := contrasts(failModel())
	if len(all) != 2 || all[0].Pair.validator != "search" {
		t.Fatalf("got %d pairs, first %s; want 2, the worse one first", len(all), all[0].Pair)
	}
	want := [][]string{
		{"Attempts", "1,000", "10,100", "–"},
		{"Auth failures", "0", "1,204", "+1,204"},
		{"of attempts", "0 %", "11.9 %", "+11.9 points"},
		{"401", "0", "1,204", "+1,204"},
		{"403", "0", "0", "0"},
		{"Unavailable", "0", "0", "0"},
		{"p50", "0.81 ms", "0.81 ms", "× 1.00"},
		{"p99", "3.46 ms", "3.46 ms", "× 1.00"},
		{"with k1", "100 %", "9.9 %", "−90.1 points"},
		{"with k2", "0 %", "90.1 %", "+90.1 points"},
	}
	if got := all[0].table().Rows; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
	if text, tone := all[0].says(); text != "auth failures: 100 % in emit" || tone != "bad" {
		t.Errorf("got %q (%s), want the worst phase", text, tone)
	}
	if text, tone := all[1].says(); text != "no failures in 10,000" || tone != "good" {
		t.Errorf("got %q (%s), want that there were none", text, tone)
	}
	rows := beforeAndAfter(all).Rows
	if len(rows) != 4 || rows[1][1] != "after" || rows[1][5] != "1,204" || rows[1][7] != "401 × 1,204" {
		t.Errorf("as one table: got %q, want a line before and one after for each pair", rows)
	}
}

func TestContrastsPutTheJudgedHopFirst(t *testing.T) {
	m := baseModel()
	m.Limits.JudgedAt = history.FromAuthority
	m.Cells = []judge.Cell{
		{Source: history.FromLoad, Presenter: "app", Validator: "charger", Phase: history.Baseline, Attempts: 10, Unavailable: 9},
		{Source: history.FromAuthority, Presenter: "charger", Validator: "database", Phase: history.Emit, Attempts: 1,
			Statuses: map[string]int64{"00000": 1, "28P01": 2}},
		{Source: history.FromProbe, Presenter: "rehearse", Validator: "database", Phase: history.Baseline, Attempts: 1},
	}
	all := contrasts(m)
	if len(all) != 2 || all[0].Pair.String() != "charger → database (seen by the authority)" || all[1].Pair.String() != "app → charger" {
		t.Fatalf("got %+v, want the authority's view first and no probes", all)
	}
	if got := all[0].refusals(); !slices.Equal(got, []string{"28P01"}) {
		t.Errorf("refusals of a database: got %q, want its own and no HTTP status", got)
	}
	if got := all[1].refusals(); !slices.Equal(got, []string{"401", "403"}) {
		t.Errorf("refusals of a web service: got %q, want 401 and 403", got)
	}
}

func TestDifferences(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{change(1204), "+1,204"}, {change(-3), "−3"}, {change(0), "0"},
		{points(0, 0.5, 1, 1), "+50.0 points"}, {points(0.5, 0.4, 1, 1), "−10.0 points"}, {points(0.1, 0.1, 1, 1), "0"},
		{points(0, 0.00001, 1, 1), "< 0.01 points"}, {points(0, 1, 0, 1), "–"},
		{slower(2, 3), "× 1.50"}, {slower(0, 3), "–"}, {slower(1, 250), "× 250"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
