package rules_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// rolledBack turns a story back in its overlap, at 34s, and proves the way
// back, which ends at 50s.
func rolledBack(trigger history.Trigger) change {
	return func(s *story) {
		s.events = slices.DeleteFunc(s.events, func(e history.Event) bool {
			return e.At >= at(34) && e.Kind != history.KindLeaks
		})
		s.add(
			history.Event{At: at(34), Kind: history.KindDecision, Phase: history.Overlap, Decision: &history.Decision{
				Action: history.ActionRollBack, Trigger: trigger, Why: "somebody said so", Since: at(33.5),
			}},
			history.Event{At: at(34), Kind: history.KindPhase, Phase: history.Rollback},
			step(at(34), history.Rollback, "emit", "k1"), emitting(at(34.2), "auth", "k1"),
			step(at(45), history.Rollback, "withdraw", "k2"), published(at(45.2), "auth", "k1"),
			probe(at(49), "checkout", "k1", history.Restored, history.OK), probe(at(49), "search", "k1", history.Restored, history.OK),
			agreement(true), history.Event{At: at(50), Kind: history.KindEnd, Phase: history.Rollback, Detail: history.EndedRolledBack},
		)
		for i := 340; i < 500; i++ {
			bucket := history.Offset(i) * 100 * millisecond
			s.add(counts(bucket, "app", "search", "k1", 10), counts(bucket, "web", "checkout", "k1", 10))
		}
	}
}

// compromised has the new credential in wrong hands, and search forget within so long.
func compromised(forgets time.Duration) change {
	return func(s *story) {
		s.limits.Compromised, s.limits.Propagation = true, 0
		for i := range s.limits.Validators {
			if v := &s.limits.Validators[i]; v.Name == "search" {
				v.Forgets, v.Shared = forgets, 0
			}
		}
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	gate := add(history.Event{At: at(34), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Overlap, Mode: "enforce", Consumer: "app", Detail: "still in use"}})
	is := func(kind history.Kind, credential string, after float64) func(history.Event) bool {
		return func(e history.Event) bool { return e.Kind == kind && e.Credential == credential && e.At > at(after) }
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		proven  bool
		asked   bool
		says    string // what the finding says; empty: there is none
	}{
		{"none", nil, judge.Skipped, false, false, ""},
		{"asked for by the operator", []change{rolledBack(history.TriggerOperator)}, judge.Pass, true, true, ""},
		{"by a gate, which is a finding of its own", []change{rolledBack(history.TriggerGate), gate}, judge.Pass, true, false, ""},
		{"by a gate that cannot tell, where clients present what names no credential", []change{rolledBack(history.TriggerGate), namesNone,
			withoutProbes("search", history.Restored), some(49, history.Restored, 0, 5)}, judge.Inconclusive, false, false, ""},
		{"by the budget", []change{rolledBack(history.TriggerBudget)}, judge.Fail, true, false, "turned back in overlap: somebody said so"},
		{"by the timebox", []change{rolledBack(history.TriggerTimebox)}, judge.Fail, true, false, "turned back in overlap"},
		{"by an error", []change{rolledBack(history.TriggerError)}, judge.Fail, true, false, "turned back in overlap"},
		{"by nobody", []change{rolledBack(history.TriggerOperator), withoutKind(history.KindDecision, "")}, judge.Fail, true, false, "the history does not say why"},
		{"that did not end", []change{rolledBack(history.TriggerOperator), ended("")}, judge.Fail, false, true, "it did not come to its end"},
		{"that was interrupted", []change{rolledBack(history.TriggerOperator), ended(history.EndedInterrupted)}, judge.Fail, false, true, "it did not come to its end"},
		{"without a withdrawal", []change{rolledBack(history.TriggerOperator), without(is(history.KindStep, "k2", 40))}, judge.Fail, false, true, "k2 was not withdrawn"},
		{"with a withdrawal that failed", []change{rolledBack(history.TriggerOperator), func(s *story) {
			for i, e := range s.events {
				if e.Step == "withdraw" {
					s.events[i].Detail = "authority is down"
				}
			}
		}}, judge.Fail, false, true, "k2 was not withdrawn"},
		{"with an emitter that stays", []change{rolledBack(history.TriggerOperator), without(is(history.KindEmitting, "k1", 34))}, judge.Fail, false, true, "auth still uses k2"},
		{"with a set that stays", []change{rolledBack(history.TriggerOperator), without(func(e history.Event) bool { return e.Kind == history.KindPublished && e.At > at(45) })}, judge.Fail, false, true, "auth still publishes k2"},
		{"with a validator not asked", []change{rolledBack(history.TriggerOperator), withoutProbes("search", history.Restored)}, judge.Fail, false, true, "search was not asked whether it takes k1"},
		{"with a validator that refuses", []change{rolledBack(history.TriggerOperator), add(probe(at(49.5), "search", "k1", history.Restored, history.AuthFailure))}, judge.Fail, false, true, "search does not take k1"},
		{"without a comparison", []change{rolledBack(history.TriggerOperator), withoutKind(history.KindAgreement, "")}, judge.Inconclusive, true, true, ""},
		{"without a comparison, unasked", []change{rolledBack(history.TriggerBudget), withoutKind(history.KindAgreement, "")}, judge.Inconclusive, true, false, ""},
		{"with a comparison that could not be made", []change{rolledBack(history.TriggerAsked), withoutKind(history.KindAgreement, ""), add(agreement(false))}, judge.Inconclusive, true, true, ""},
		{"with a disagreement", []change{rolledBack(history.TriggerAsked), add(agreement(true, "payments takes k2"))}, judge.Fail, false, true, "authority and store do not agree: payments takes k2"},
		{"as the scenario asked", []change{rolledBack(history.TriggerAsked)}, judge.Pass, true, true, ""},
		{"as the scenario asked, still taken", []change{rolledBack(history.TriggerAsked), add(probe(at(49.2), "search", "k2", history.Withdrawn, history.OK))}, judge.Pass, true, true, "search still took k2"},
		{"compromised, and taken after its bound", []change{rolledBack(history.TriggerAsked), compromised(4 * time.Second), add(probe(at(49.2), "search", "k2", history.Withdrawn, history.OK))}, judge.Fail, true, true, "search still took k2"},
		{"compromised, and never forgotten", []change{rolledBack(history.TriggerAsked), compromised(runbook.Forever), add(probe(at(49.2), "search", "k2", history.Withdrawn, history.OK))}, judge.Fail, true, true, "nothing makes it forget"},
		{"compromised, and asked before its bound", []change{rolledBack(history.TriggerAsked), compromised(10 * time.Minute), add(probe(at(49.2), "search", "k2", history.Withdrawn, history.OK))}, judge.Pass, true, true, "it may until"},
		{"compromised, and refused", []change{rolledBack(history.TriggerAsked), compromised(4 * time.Second), add(probe(at(49.2), "search", "k2", history.Withdrawn, history.AuthFailure))}, judge.Pass, true, true, ""},
		{"unasked, for the silence of the store", []change{rolledBack(history.TriggerStore)}, judge.Fail, true, false, "turned back in overlap"},
		{"with failures to its end", []change{rolledBack(history.TriggerOperator), refuse("app", "k1", 49, 50, 1)}, judge.Fail, false, true, "app was refused 10 times by search in its last second"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "rollback", tt.want)
			if v.Rollback.Proven != tt.proven || v.Rollback.AskedFor != tt.asked {
				t.Errorf("rollback: got %+v, want proven %t, asked for %t", v.Rollback, tt.proven, tt.asked)
			}
			if tt.want == judge.Fail && v.Verdict != judge.Fail {
				t.Errorf("verdict: got %s, want fail", v.Verdict)
			}
			wantSaid(t, v, "rollback", tt.says)
		})
	}
}

func TestRollbackReport(t *testing.T) {
	t.Parallel()
	got := judged(t, rolledBack(history.TriggerBudget)).Rollback
	want := judge.RollbackReport{Happened: true, Why: "somebody said so", From: "overlap", DecidedMS: 34000, DoneMS: 50000, Proven: true, DecisionMS: 500, Agreement: judge.Agree}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rollback: got %+v, want %+v", got, want)
	}
}

// A revoke that was taken back is no revocation to be proven.
func TestRevocationIsNotAskedOfARollback(t *testing.T) {
	t.Parallel()
	v := judged(t, rolledBack(history.TriggerOperator), add(step(at(33), history.Revoke, "revoke", "k1"), step(at(34), history.Rollback, "restore", "k1")))
	wantRule(t, v, "revocation", judge.Skipped)
}

// wantSaid checks that a rule has exactly one finding, which says something;
// or none, where nothing is to be said.
func wantSaid(t *testing.T, v judge.Verdict, id, says string) {
	t.Helper()
	var found []judge.Finding
	for _, f := range v.Findings {
		if f.RuleID == id {
			found = append(found, f)
		}
	}
	switch {
	case says == "" && len(found) == 0:
	case says == "" || len(found) != 1:
		t.Errorf("findings of %s: got %+v, want %q alone", id, found, says)
	case !strings.Contains(found[0].Message, says):
		t.Errorf("finding of %s: got %q, want it to say %q", id, found[0].Message, says)
	}
}

// TestRollbackCitesWhatKept: a way back that could not be gone names the fault that kept it.
func TestRollbackCitesWhatKept(t *testing.T) {
	t.Parallel()
	sealed := add(fault(at(33.9), "seal", "store", history.FaultInjected, false), fault(at(34), "seal", "store", history.FaultEvidence, true), fault(at(44), "seal", "store", history.FaultUndone, false))
	for _, f := range judged(t, rolledBack(history.TriggerError), sealed).Findings {
		if f.RuleID == "rollback" && (f.Consumer != "store" || !strings.Contains(f.Fix, "mend store first (here the fault seal)") || !strings.Contains(f.Message, "the fault seal on store was in effect")) {
			t.Errorf("finding: got %s, fix %q, want the seal of the store", text(f), f.Fix)
		}
	}
	for _, f := range judged(t, rolledBack(history.TriggerError)).Findings {
		if f.RuleID == "rollback" && f.Consumer != "" {
			t.Errorf("finding: got %s, want nobody to look at", text(f))
		}
	}
}

// TestRollbackNamesWhoIsNotBack: one emitter that is all that is missing is named, with what it
// has to do; several parties are not.
func TestRollbackNamesWhoIsNotBack(t *testing.T) {
	t.Parallel()
	stays := add(published(at(45.3), "auth", "k1", "k2"))
	unasked := withoutProbes("search", history.Restored)
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
	}{
		{"auth still publishes it", []change{stays}, "auth"},
		{"and nobody was asked", []change{stays, unasked, withoutProbes("checkout", history.Restored)}, ""},
	} {
		for _, f := range judged(t, append([]change{rolledBack(history.TriggerOperator)}, tt.changes...)...).Findings {
			if f.RuleID == "rollback" && f.Level == judge.Error && (f.Consumer != tt.consumer || strings.Contains(f.Fix, "make auth take what is published") != (tt.consumer != "")) {
				t.Errorf("%s: got %s, fix %q, want %q to look at", tt.name, text(f), f.Fix, tt.consumer)
			}
		}
	}
}
