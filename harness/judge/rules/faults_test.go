package rules_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	injected, took := fault(at(20), "pause", "search", "injected", false), fault(at(21), "pause", "search", "evidence", true)
	vain, undone := fault(at(21), "pause", "search", "evidence", false), fault(at(25), "pause", "search", "undone", false)
	failed := func(detail string) history.Event {
		e := fault(at(25), "pause", "search", "failed", false)
		e.Fault.Detail = detail
		return e
	}
	again := []history.Event{
		fault(at(30), "pause", "search", "injected", false), fault(at(31), "pause", "search", "evidence", true), fault(at(32), "pause", "search", "undone", false),
	}
	for _, tt := range []struct {
		name   string
		events []history.Event
		want   judge.Outcome
		says   string // of the detail, or of the one finding
	}{
		{"none", nil, judge.Skipped, "none was injected"},
		{"took and was undone", []history.Event{injected, took, undone}, judge.Pass, "1 fault left evidence, and none"},
		{"twice", append([]history.Event{injected, took, undone}, again...), judge.Pass, "2 faults left evidence, and none"},
		{"without an effect", []history.Event{injected, vain, undone}, judge.Inconclusive, "pause on search left no evidence"},
		{"not measured", []history.Event{injected, undone}, judge.Inconclusive, "pause on search left no evidence"},
		{"the second without an effect", append([]history.Event{injected, took, undone}, again[0], again[2]), judge.Inconclusive, "pause on search left no evidence"},
		{"not injected", []history.Event{failed("not injected: the run ended before watch")}, judge.Inconclusive, "pause on search did not happen: not injected: the run ended before watch"},
		{"not injected, and undone all the same", []history.Event{failed("not injected: no such service"), fault(at(26), "pause", "search", "undone", false)}, judge.Inconclusive, "did not happen: not injected: no such service"},
		{"not undone", []history.Event{injected, took, failed("not undone: it gives no answer")}, judge.Fail, "the fault pause on search was not undone: not undone: it gives no answer"},
		{"left behind", []history.Event{injected, took}, judge.Fail, "was not undone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, add(tt.events...))
			wantRule(t, v, "faults", tt.want)
			if tt.want == judge.Fail {
				wantSaid(t, v, "faults", tt.says)
				return
			}
			wantSaid(t, v, "faults", "")
			if got := rule(t, v, "faults").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
		})
	}
}

func TestFaultReports(t *testing.T) {
	t.Parallel()
	evidence := fault(at(21), "pause", "search", "evidence", true)
	evidence.Fault.Evidence = map[string]float64{"during_asked": 10, "during_answered": 0}
	undone := fault(at(25), "pause", "search", "undone", false)
	undone.Fault.Evidence = map[string]float64{history.BackAfter: 12.5}
	injected := fault(at(20), "pause", "search", "injected", false)
	for _, e := range []history.Event{injected, evidence, undone} {
		e.Fault.By = "operator"
	}
	got := judged(t, add(injected, evidence, undone)).Faults
	want := []judge.FaultReport{{
		Kind: "pause", Target: "search", InjectedMS: 20000, Took: true, UndoneMS: 25000, By: "operator",
		Evidence: map[string]float64{"during_asked": 10, "during_answered": 0, history.BackAfter: 12.5},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("faults: got  %+v\nwant %+v", got, want)
	}
}
