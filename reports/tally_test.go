package reports

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestTally(t *testing.T) {
	statuses := map[string]int64{"200": 41230, "401": 3, "403": 3, "refused": 12, "304": 1}
	if got, want := tally(statuses), "200 × 41,230, connection refused × 12, 401 × 3, 403 × 3, 304 × 1"; got != want {
		t.Errorf("tally: got %q, want %q", got, want)
	}
	if got, want := Refusals(statuses), "connection refused × 12, 401 × 3, 403 × 3"; got != want {
		t.Errorf("Refusals: got %q, want %q", got, want)
	}
	if got, want := Refusals(map[string]int64{"00000": 5, "28P01": 2, "ok": 4}), "28P01 × 2"; got != want {
		t.Errorf("Refusals of SQLSTATEs: got %q, want %q", got, want)
	}
	if len(statuses) != 5 {
		t.Error("Refusals changed the statuses that it was given")
	}
	if got := tally(nil); got != "–" {
		t.Errorf("tally of nothing: got %q, want a dash", got)
	}
}

func TestShares(t *testing.T) {
	got := shares(map[string]judge.CredentialCounts{"k2": {Attempts: 3}, "k1": {Attempts: 1}, "k0": {}})
	if want := "k1 25.0 %, k2 75.0 %"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEvidence(t *testing.T) {
	for want, measured := range map[string]map[string]float64{
		"reads 12 → 0, offset 1.5 s":                   {"during_reads": 0, "before_reads": 12, "before_asked": 3, "during_asked": 3, "offset_s": 1.5},
		"fastest 1.41 ms → 203 ms, back after 2586 ms": {"before_fastest_ms": 1.4123, "during_fastest_ms": 203.342, "back_after_ms": 2586.4},
		"has kid 1 → 0":                                {"before_has_kid": 1, "during_has_kid": 0},
		"answered 3, asked 3":                          {"before_answered": 3, "during_answered": 3, "before_asked": 3, "during_asked": 3},
		"before asked 2":                               {"before_asked": 2},
		"":                                             {},
	} {
		if got := Evidence(measured); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
