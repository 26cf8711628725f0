package reports

import (
	"reflect"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestFacts(t *testing.T) {
	tests := []struct {
		name    string
		finding judge.Finding
		want    []Fact
	}{
		{"all of it", failModel().Findings[1], []Fact{
			{"who", "web → search with k2"},
			{"when", "from 10m7s (10.1s) until 19m57s (20s), for 9m50s (9.8s), first in emit"},
			{"count", "1,204"}, {"error budget spent", "4.1 times"}, {"caused by", "emit, stale-cache"}, {"look at", "search"},
		}},
		{"one moment", judge.Finding{FirstMS: 1000, LastMS: 1000, Validator: "search"}, []Fact{{"who", "search"}, {"when", "at 1m (1s)"}}},
		{"no time, once, and nobody in it", judge.Finding{Credential: "k1", FirstPhase: "watch", Cause: judge.CauseUnknown, Count: 1}, []Fact{
			{"first in", "watch"}, {"caused by", "unknown"},
		}},
		{"one of one", judge.Finding{Validator: "search", FirstMS: 1000, LastMS: 1000, BudgetSpent: 1000.4}, []Fact{
			{"who", "search"}, {"when", "at 1m (1s)"}, {"error budget spent", "1,000 times"},
		}},
		{"nothing", judge.Finding{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Facts(tt.finding, Clock{Speed: 60}); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestByWeight(t *testing.T) {
	in := []judge.Finding{{RuleID: "n", Level: judge.Note}, {RuleID: "w", Level: judge.Warning}, {RuleID: "e1", Level: judge.Error}, {RuleID: "e2", Level: judge.Error}}
	var got []string
	for _, f := range ByWeight(in) {
		got = append(got, f.RuleID)
	}
	if want := []string{"e1", "e2", "w", "n"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if in[0].RuleID != "n" {
		t.Error("ByWeight changed the findings that it was given")
	}
}

// A time that began while services started has no length in page time.
func TestFactsFromTheStart(t *testing.T) {
	t.Parallel()
	got := Facts(judge.Finding{FirstMS: 0, LastMS: 26_900, Validator: "shop"}, Clock{Speed: 30, Zero: history.Milliseconds(5_500)})
	if want := (Fact{"when", "from the start (0s) until 10m42s (26.9s)"}); len(got) != 2 || got[1] != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A warning that asks for the duration that an error asks for says its one
// sentence; one that asks for more, or of somebody else, says all of it.
func TestRepeats(t *testing.T) {
	failed := judge.Finding{Level: judge.Error, Validator: "search", Credential: "k2", Fix: "publish at least 16m15s before emitting (lead)"}
	bound := judge.Finding{Level: judge.Warning, Validator: "search", Credential: "k2", Fix: "rollout.lead: at least 16m15s"}
	if !Repeats(bound, []judge.Finding{failed}) {
		t.Error("the bound asks for what the failure asks for, and is told in full")
	}
	for name, change := range map[string]func(f *judge.Finding){
		"more is asked":      func(f *judge.Finding) { f.Fix = "rollout.lead: at least 21m15s" },
		"another validator":  func(f *judge.Finding) { f.Validator = "checkout" },
		"another credential": func(f *judge.Finding) { f.Credential = "k1" },
		"an error":           func(f *judge.Finding) { f.Level = judge.Error },
		"no duration":        func(f *judge.Finding) { f.Fix = "look at its log" },
	} {
		f := bound
		change(&f)
		if Repeats(f, []judge.Finding{failed}) {
			t.Errorf("%s: it is told as a repetition", name)
		}
	}
	if Repeats(bound, []judge.Finding{{Level: judge.Warning, Validator: "search", Credential: "k2", Fix: failed.Fix}}) {
		t.Error("a warning repeats a warning")
	}
}
