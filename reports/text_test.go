package reports

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestHeadline(t *testing.T) {
	tests := []struct {
		verdict judge.Outcome
		flat    judge.Flatness
		want    string
	}{
		{judge.Pass, judge.Flat, "Pass: auth failures stayed flat"},
		{judge.Fail, judge.NotFlat, "Fail: auth failures did not stay flat"},
		{judge.Fail, judge.Flat, "Fail: auth failures stayed flat, but another rule was broken"},
		{judge.Fail, judge.CannotTell, "Fail: a rule was broken, and it cannot be told whether auth failures stayed flat"},
		{judge.Inconclusive, judge.CannotTell, "Inconclusive: it cannot be told whether auth failures stayed flat"},
		{judge.Inconclusive, judge.Flat, "Inconclusive: auth failures stayed flat, but not every rule can be told"},
		{"", "", "Inconclusive: it cannot be told whether auth failures stayed flat"},
	}
	for _, tt := range tests {
		if got := Headline(judge.Verdict{Verdict: tt.verdict, AuthFailures: tt.flat}); got != tt.want {
			t.Errorf("Headline(%s, %s) = %q, want %q", tt.verdict, tt.flat, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for want, n := range map[string]int64{"0": 0, "999": 999, "1,000": 1000, "41,230": 41230, "1,234,567": 1234567, "-1,000": -1000, "-100": -100} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestShare(t *testing.T) {
	tests := []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "–"}, {0, 10, "0 %"}, {10, 10, "100 %"}, {1, 8, "12.5 %"}, {1, 300, "0.33 %"},
		{1, 1_000_000, "< 0.01 %"}, {999_999, 1_000_000, "> 99.99 %"}, {9_991, 10_000, "99.91 %"},
	}
	for _, tt := range tests {
		if got := Share(tt.part, tt.whole); got != tt.want {
			t.Errorf("Share(%d, %d) = %q, want %q", tt.part, tt.whole, got, tt.want)
		}
	}
}
