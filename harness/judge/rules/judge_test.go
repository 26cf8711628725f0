package rules_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func TestHealthyStoryPasses(t *testing.T) {
	t.Parallel()
	v := judged(t)
	if v.Verdict != judge.Pass || v.AuthFailures != judge.Flat {
		t.Errorf("verdict: got %s, %s (%s), want pass, flat", v.Verdict, v.AuthFailures, v.Why)
	}
	if len(v.Findings) != 0 {
		t.Errorf("findings: got %+v, want none", v.Findings)
	}
	const why = "k2 replaced k1 at 2 validators while auth failures stayed flat: 0 of 12100 attempts"
	if v.Why != why {
		t.Errorf("why: got %q, want %q", v.Why, why)
	}
	for id, want := range map[string]judge.Outcome{
		"auth-failures-flat": judge.Pass, "availability": judge.Pass, "sessions": judge.Pass, "distribution": judge.Pass,
		"gates": judge.Pass, "rollback": judge.Skipped, "faults": judge.Skipped, "revocation": judge.Pass, "bounds": judge.Pass,
		"ledger": judge.Skipped, "leaks": judge.Pass, "logs": judge.Skipped, "accounting": judge.Pass,
	} {
		wantRule(t, v, id, want)
	}
	if got, want := len(v.Rules), 13; got != want {
		t.Errorf("rules: got %d, want %d", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	leaking := func(s *story) {
		for _, e := range s.events {
			if e.Kind == history.KindLeaks {
				e.Leaks.Hits, e.Leaks.Where = 1, []string{"logs/auth.log"}
			}
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		verdict judge.Outcome
		flat    judge.Flatness
		why     string // how it begins
	}{
		{"a fail outweighs what cannot be told", []change{leaking, withoutKind(history.KindEnd, "")}, judge.Fail, judge.CannotTell, "the value of a secret appears 1 time in logs/auth.log"},
		{"what cannot be told outweighs a pass", []change{withoutKind(history.KindLeaks, "")}, judge.Inconclusive, judge.Flat, "cannot tell (leaks): outputs were not scanned"},
		{"refusals are told first", []change{leaking, refuse("app", "k2", 28, 30, 10)}, judge.Fail, judge.NotFlat, "app was refused"},
		{"thin data does not hide a fail", []change{refuse("app", "k2", 28, 30, 10), silent("web", 41, 61)}, judge.Fail, judge.NotFlat, "app was refused"},
		{"a way back that was asked for", []change{rolledBack(history.TriggerOperator)}, judge.Pass, judge.Flat, "the rotation was taken back as asked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			if v.Verdict != tt.verdict || v.AuthFailures != tt.flat {
				t.Errorf("verdict: got %s, %s (%s), want %s, %s", v.Verdict, v.AuthFailures, v.Why, tt.verdict, tt.flat)
			}
			if !strings.HasPrefix(v.Why, tt.why) {
				t.Errorf("why: got %q, want one that begins with %q", v.Why, tt.why)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	got, err := rules.Limits(tell().history(t))
	if err != nil {
		t.Fatalf("limits: %v", err)
	}
	if want := healthy().limits; got.Speed != want.Speed || len(got.Validators) != len(want.Validators) || got.Lead != want.Lead {
		t.Errorf("limits: got %+v, want %+v", got, want)
	}
	for _, tt := range []struct {
		name   string
		events []history.Event
		want   string
	}{
		{"an empty history", nil, "run.jsonl:1: the history does not begin with a plan"},
		{"another event first", []history.Event{{Kind: history.KindPhase}}, "run.jsonl:1: the history does not begin with a plan"},
		{"no speed", []history.Event{{Kind: history.KindPlan, Plan: json.RawMessage(`{}`)}}, "run.jsonl:1: the plan cannot be: speed is 0"},
		{"a speed that cannot be", []history.Event{{Kind: history.KindPlan, Plan: json.RawMessage(`{"speed": -1}`)}}, "run.jsonl:1: the plan cannot be: speed is -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := rules.Limits(&history.History{Events: tt.events, File: "run.jsonl"}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error: got %v, want one with %q", err, tt.want)
			}
		})
	}
	t.Run("a plan that cannot be read", func(t *testing.T) {
		t.Parallel()
		broken := &history.History{Events: []history.Event{{Kind: history.KindPlan, Plan: json.RawMessage(`{"speed": "fast"}`)}}}
		var typed *json.UnmarshalTypeError
		if _, err := rules.Limits(broken); !errors.As(err, &typed) {
			t.Errorf("error: got %v, want one that is a %T", err, typed)
		}
	})
}

func TestEmptyHistoryIsNoPass(t *testing.T) {
	t.Parallel()
	for _, h := range []*history.History{{}, {Events: []history.Event{{Kind: history.KindPlan}}}} {
		if v := rules.Judge(h, plan.Limits{Speed: 1}); v.Verdict != judge.Inconclusive || v.AuthFailures != judge.CannotTell {
			t.Errorf("verdict on %d events: got %s, %s, want inconclusive, cannot_tell", len(h.Events), v.Verdict, v.AuthFailures)
		}
	}
}
