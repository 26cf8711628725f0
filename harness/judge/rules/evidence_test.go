package rules_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
)

func TestPhases(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		end     int64
	}{
		{"to their end", nil, 60500},
		{"of a history that was cut off", []change{ended("")}, 61000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := []judge.PhaseSpan{
				{Name: history.Baseline, StartMS: 0, EndMS: 10000}, {Name: history.Accept, StartMS: 10000, EndMS: 10000},
				{Name: history.Verify, StartMS: 10000, EndMS: 28000}, {Name: history.Emit, StartMS: 28000, EndMS: 28500},
				{Name: history.Overlap, StartMS: 28500, EndMS: 40500}, {Name: history.Revoke, StartMS: 40500, EndMS: 40500},
				{Name: history.Watch, StartMS: 40500, EndMS: tt.end},
			}
			if got := judged(t, tt.changes...).Phases; !reflect.DeepEqual(got, want) {
				t.Errorf("phases: got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestDisorder(t *testing.T) {
	t.Parallel()
	swap := func(a, b func(history.Event) bool) change {
		return func(s *story) {
			i, j := slices.IndexFunc(s.events, a), slices.IndexFunc(s.events, b)
			s.events[i].At, s.events[j].At = s.events[j].At, s.events[i].At
		}
	}
	phase := func(p history.Phase) func(history.Event) bool {
		return func(e history.Event) bool { return e.Kind == history.KindPhase && e.Phase == p }
	}
	for _, tt := range []struct {
		name   string
		breaks func(*testing.T) *history.History
		says   string
	}{
		{"no plan", func(t *testing.T) *history.History {
			h := tell().history(t)
			return &history.History{Events: h.Events[1:]}
		}, "it does not begin with the plan"},
		{"phases changed places", func(t *testing.T) *history.History {
			return tell(swap(phase(history.Verify), phase(history.Overlap))).history(t)
		}, "phase emit comes too late"},
		{"a phase twice", func(t *testing.T) *history.History {
			return tell(add(history.Event{At: at(50), Kind: history.KindPhase, Phase: history.Watch})).history(t)
		}, "phase watch comes too late"},
		{"a phase that does not exist", func(t *testing.T) *history.History {
			return tell(add(history.Event{At: at(50), Kind: history.KindPhase, Phase: "party"})).history(t)
		}, "phase party comes too late"},
		{"time goes backwards", func(t *testing.T) *history.History {
			h := tell().history(t)
			h.Events[slices.IndexFunc(h.Events, phase(history.Watch))].At = at(20)
			return h
		}, "phase watch comes too late"},
		{"an early end", func(t *testing.T) *history.History {
			h := tell().history(t)
			h.Events[slices.IndexFunc(h.Events, func(e history.Event) bool { return e.Kind == history.KindEnd })].At = at(20)
			return h
		}, "it ends before its last phase"},
		{"counts changed places", func(t *testing.T) *history.History {
			h := tell().history(t)
			of := func(e history.Event) bool { return e.Kind == history.KindCounts && e.Counts.Presenter == "web" }
			i := slices.IndexFunc(h.Events, of)
			j := i + 1 + slices.IndexFunc(h.Events[i+1:], of)
			h.Events[i], h.Events[j] = h.Events[j], h.Events[i]
			return h
		}, "counts of web at checkout are out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := rules.Judge(tt.breaks(t), healthy().limits)
			if v.Verdict != judge.Inconclusive || v.AuthFailures != judge.CannotTell {
				t.Errorf("verdict: got %s, %s, want inconclusive, cannot_tell", v.Verdict, v.AuthFailures)
			}
			if got := rule(t, v, "accounting").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
		})
	}
}

// Lines of logs come a little late, and are no disorder.
func TestLateLines(t *testing.T) {
	t.Parallel()
	h := tell().history(t)
	i := slices.IndexFunc(h.Events, func(e history.Event) bool { return e.Kind == history.KindLearned && e.At > 0 })
	late := h.Events[i]
	h.Events = slices.Insert(slices.Delete(h.Events, i, i+1), i+20, late)
	if v := rules.Judge(h, healthy().limits); v.Verdict != judge.Pass {
		t.Errorf("verdict: got %s (%s), want pass", v.Verdict, v.Why)
	}
}
