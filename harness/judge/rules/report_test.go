package rules_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// cellOf is what was counted for a presenter at a validator in a phase.
func cellOf(t *testing.T, v judge.Verdict, presenter, validator string, phase history.Phase) judge.Cell {
	t.Helper()
	i := slices.IndexFunc(v.Cells, func(c judge.Cell) bool {
		return c.Presenter == presenter && c.Validator == validator && c.Phase == phase
	})
	if i < 0 {
		t.Fatalf("cell of %s at %s in %s: not in the verdict", presenter, validator, phase)
	}
	return v.Cells[i]
}

func TestCells(t *testing.T) {
	t.Parallel()
	v := judged(t, refuse("app", "k1", 30, 31, 2), retried, unavailable("app", 35, 35.1), func(s *story) {
		s.buckets("app", "k1", 30, 31, func(_ history.Offset, c *history.Counts) { c.Retries, c.RetriesOK = 2, 1 })
	})
	if got, want := len(v.Cells), 2*len(v.Phases); got != want {
		t.Errorf("cells: got %d, want %d, one of each client in each phase", got, want)
	}
	got := cellOf(t, v, "app", "search", history.Overlap)
	want := judge.Cell{
		Presenter: "app", Validator: "search", Phase: history.Overlap, Source: history.FromLoad,
		Attempts: 1200, AuthFailures: 20, Unavailable: 10, Retries: 20, RetriesOK: 10,
		Statuses:    map[string]int64{"200": 1170, "401": 20, "refused": 10},
		Credentials: map[string]judge.CredentialCounts{"k1": {Attempts: 400, AuthFailures: 20}, "k2": {Attempts: 800}},
		P50MS:       1, P99MS: 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("cell: got  %+v\nwant %+v", got, want)
	}
	if empty := cellOf(t, v, "app", "search", history.Accept); empty.Attempts != 0 || empty.P99MS != 0 {
		t.Errorf("cell of a phase without a length: got %+v, want one without attempts", empty)
	}
	var sum int64
	for _, c := range v.Cells {
		sum += c.Attempts
	}
	if sum != 12100 || v.Totals.AuthFailures != 20 {
		t.Errorf("all cells: got %d attempts and %d auth failures, want 12100 and 20: each counts in one phase", sum, v.Totals.AuthFailures)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		pairs    [][2]int64 // microseconds, count
		p50, p99 float64
	}{
		{"none", nil, 0, 0},
		{"one", [][2]int64{{1500, 1}}, 1.5, 1.5},
		{"two", [][2]int64{{1000, 1}, {9000, 1}}, 1, 9},
		{"ten, of which one is slow", [][2]int64{{1000, 9}, {9000, 1}}, 1, 9},
		{"a hundred, of which one is slow", [][2]int64{{1000, 99}, {9000, 1}}, 1, 1},
		{"a hundred, of which two are slow", [][2]int64{{1000, 98}, {9000, 2}}, 1, 9},
		{"in any order", [][2]int64{{9000, 2}, {2000, 48}, {1000, 50}}, 1, 9},
		{"a figure twice", [][2]int64{{1000, 1}, {2000, 3}, {1000, 1}}, 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, func(s *story) {
				s.buckets("app", "", 10, 28, func(_ history.Offset, c *history.Counts) { c.Latency = nil })
				s.buckets("app", "", 20, 20.1, func(_ history.Offset, c *history.Counts) { c.Latency = tt.pairs })
			})
			got := cellOf(t, v, "app", "search", history.Verify)
			if got.P50MS != tt.p50 || got.P99MS != tt.p99 {
				t.Errorf("percentiles: got %v and %v ms, want %v and %v", got.P50MS, got.P99MS, tt.p50, tt.p99)
			}
		})
	}
}

func TestValidatorReports(t *testing.T) {
	t.Parallel()
	healthy := judge.ValidatorReport{Name: "search", OnPage: true, LearnedAfterMS: 10000, ForgotAfterMS: 9500, BoundMS: 18250, ForgetBoundMS: 18250}
	with := func(f func(*judge.ValidatorReport)) judge.ValidatorReport {
		r := healthy
		f(&r)
		return r
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.ValidatorReport
	}{
		{"healthy", nil, healthy},
		{"off the page", []change{onSearch(offPage)}, with(func(r *judge.ValidatorReport) { r.OnPage = false })},
		{"never learned", []change{searchLearns(0)}, with(func(r *judge.ValidatorReport) { r.LearnedAfterMS = -1 })},
		{"never forgot", []change{still(0, 41, 60)}, with(func(r *judge.ValidatorReport) { r.ForgotAfterMS = -1 })},
		{"no bound", []change{forever("search")}, with(func(r *judge.ValidatorReport) { r.ForgetBoundMS = -1 })},
		{"nothing revoked", []change{without(func(e history.Event) bool { return e.Step == "revoke" })}, with(func(r *judge.ValidatorReport) { r.ForgotAfterMS = -1 })},
		{"nothing accepted", []change{without(func(e history.Event) bool { return e.Step == "accept" && e.Credential == "k2" })}, with(func(r *judge.ValidatorReport) { r.LearnedAfterMS = -1 })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			if len(v.Validators) != 2 {
				t.Fatalf("validators: got %+v, want two", v.Validators)
			}
			if got := v.Validators[1]; got != tt.want {
				t.Errorf("validator: got  %+v\nwant %+v", got, tt.want)
			}
			// checkout learns when it meets a key: it is asked at 28s.
			if got := v.Validators[0].LearnedAfterMS; got != 0 && len(tt.changes) == 0 {
				t.Errorf("checkout learned after %d ms, want 0 from when it met the key", got)
			}
		})
	}
}

func TestOperator(t *testing.T) {
	t.Parallel()
	if got := judged(t).Operator; got != nil {
		t.Errorf("without an operator: got %+v, want nothing", got)
	}
	did := func(at history.Offset, phase history.Phase, what string) history.Event {
		return history.Event{At: at, Kind: history.KindOperator, Phase: phase, Detail: what}
	}
	v := judged(t, add(did(at(12), history.Verify, "holds before emit"), did(at(28), history.Verify, "went on to emit, after 2s on hold")))
	want := []judge.OperatorAction{
		{AtMS: 12000, Phase: history.Verify, Did: "holds before emit"},
		{AtMS: 28000, Phase: history.Verify, Did: "went on to emit, after 2s on hold"},
	}
	if !reflect.DeepEqual(v.Operator, want) {
		t.Errorf("operator: got %+v, want %+v", v.Operator, want)
	}
	if v.Verdict != judge.Pass {
		t.Errorf("verdict: got %s (%s), want pass: what a person says changes nothing by itself", v.Verdict, v.Why)
	}
}
