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
	got := Evidence(map[string]float64{"during.reads": 0, "before.reads": 12, "offset_s": 1.5})
	if want := "before.reads 12, during.reads 0, offset_s 1.5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
