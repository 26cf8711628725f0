package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestLeaks(t *testing.T) {
	t.Parallel()
	scan := func(l history.Leaks) change {
		return func(s *story) {
			withoutKind(history.KindLeaks, "")(s)
			s.add(history.Event{At: at(61), Kind: history.KindLeaks, Leaks: &l})
		}
	}
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		says     string
		consumer string
	}{
		{"clean", nil, judge.Pass, "no value in 4096 bytes", ""},
		{"not scanned", []change{withoutKind(history.KindLeaks, "")}, judge.Inconclusive, "outputs were not scanned", ""},
		{"nothing to scan", []change{scan(history.Leaks{})}, judge.Inconclusive, "there was no output to scan", ""},
		{"some are too short", []change{scan(history.Leaks{Searched: 10, Short: 2})}, judge.Pass, "10 bytes of output; 2 values too short to be looked for", ""},
		{"in a log", []change{scan(history.Leaks{Searched: 10, Hits: 2, Where: []string{"events.jsonl", "logs/auth.log (base64)"}})}, judge.Fail,
			"the value of a secret appears 2 times in events.jsonl, logs/auth.log (base64)", "auth"},
		{"elsewhere", []change{scan(history.Leaks{Searched: 10, Hits: 1, Where: []string{"events.jsonl"}})}, judge.Fail, "appears 1 time in events.jsonl", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "leaks", tt.want)
			if tt.want == judge.Fail {
				wantSaid(t, v, "leaks", tt.says)
				if got := v.Findings[0].Consumer; got != tt.consumer {
					t.Errorf("consumer: got %q, want %q", got, tt.consumer)
				}
				return
			}
			wantSaid(t, v, "leaks", "")
			if got := rule(t, v, "leaks").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
		})
	}
}
