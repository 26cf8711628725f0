package reports

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestRevocationHoldsProofsAgainstTheirBounds(t *testing.T) {
	m := passModel()
	m.Validators = []judge.ValidatorReport{
		{Name: "checkout", ForgotAfterMS: 14_000, ForgetBoundMS: 61_000},
		{Name: "late", ForgotAfterMS: 70_000, ForgetBoundMS: 61_000},
		{Name: "frozen", ForgotAfterMS: 70_000, ForgetBoundMS: 61_000},
		{Name: "never", ForgotAfterMS: -1, ForgetBoundMS: -1},
		{Name: "silent", ForgotAfterMS: -1, ForgetBoundMS: 61_000},
	}
	var events []history.Event
	for _, v := range []string{"checkout", "late"} {
		events = append(events, probe(66_600, v, "k1", history.OldAfter, history.OK, "200"), probe(80_540, v, "k1", history.OldAfter, history.AuthFailure, "401"))
	}
	events = append(events, probe(80_440, "late", "k1", history.OldAfter, history.OK, "200"), probe(80_540, "late", "k1", history.OldAfter, history.AuthFailure, "401"),
		probe(66_600, "frozen", "k1", history.OldAfter, history.OK, "200"), probe(80_540, "frozen", "k1", history.OldAfter, history.AuthFailure, "401"))
	events = append(events, probe(66_600, "never", "k1", history.OldAfter, history.OK, "200"),
		probe(86_500, "never", "k2", history.NewAfter, history.AuthFailure, "401"),
		probe(66_600, "silent", "k1", history.OldAfter, history.Unavailable, "refused"),
		probe(86_500, "silent", "k2", history.NewAfter, history.Unavailable, "timeout"))
	m.Timeline = TimelineOf(historyOf(m, events...), m.Limits)
	const made = "token made before the revoke"
	want := [][]string{
		{"checkout", "k1", made, "2", "1", "401", "14m (14s)", "1h1m (1m1s)", "yes"},
		{"frozen", "k1", made, "2", "1", "401", "1h10m (1m10s)", "1h1m (1m1s)", "yes"}, // it was not asked when it was due
		{"late", "k1", made, "4", "2", "401", "1h10m (1m10s)", "1h1m (1m1s)", "no"},
		{"never", "k1", made, "1", "1", "200", "never", "no bound", "no"},
		{"never", "k2", made, "1", "0", "401", "–", "–", "no"},
		{"silent", "k1", made, "1", "0", "connection refused", "–", "1h1m (1m1s)", "cannot tell"},
		{"silent", "k2", made, "1", "0", "timeout", "–", "–", "cannot tell"},
	}
	if got := revocation(m).Rows; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Timeline = nil
	if got := revocation(m); len(got.Rows) != 0 || got.Note == "" {
		t.Errorf("without a timeline: got %+v, want a note alone", got)
	}
}

func TestWayBack(t *testing.T) {
	want := [][]string{
		{"search", "k1", "the old one is taken again", "1", "1", "200", "yes"},
		{"search", "k2", "the new one is refused", "1", "0", "401", "yes"},
	}
	m := failModel()
	if got := wayBack(m).Rows; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Timeline = TimelineOf(historyOf(m, probe(23_000, "search", "k2", history.Withdrawn, history.OK, "200")), m.Limits)
	if got := wayBack(m).Rows[0][6]; got != "not yet" {
		t.Errorf("the withdrawn one still taken: got %q, want that it is not refused yet", got)
	}
}
