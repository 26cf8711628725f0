package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// locks adds that search locked its account after refused calls.
func locks(moment float64, presenter, credential string) change {
	return add(history.Event{At: at(moment), Kind: history.KindLocked, Service: "search", Reader: presenter, Credential: credential, Count: 30})
}

// TestLockedOut: who is refused because an authority refuses everybody is told
// apart from who is refused for its own credential.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	opens := func(moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindUnlocked, Service: "search"})
	}
	fresh := refuse("app", "k2", 42, 50, 10)
	for _, tt := range []struct {
		name     string
		changes  []change
		presents string // what the finding is about
		cause    judge.Cause
		consumer string
		causedBy string
		says     string
	}{
		{"the right one after a revoke", []change{fresh, locks(42, "nightly", "k1")}, "k2", judge.CauseLockedOut, "nightly", "revoke",
			"search locked the account against guessing, after 30 refused calls, most of them by nightly with k1: the right credential was refused too"},
		{"by one who is not on the page", []change{fresh, locks(42, "batch", "k1"), limit(func(l *plan.Limits) {
			l.Emitters = append(l.Emitters, plan.Emitter{Name: "batch"})
		})}, "k2", judge.CauseLockedOut, "batch", "revoke", "by batch, which is not on the page, with k1"},
		{"until it opens", []change{fresh, locks(42, "nightly", "k1"), opens(51)}, "k2", judge.CauseLockedOut, "nightly", "revoke", "locked the account against guessing for 9m"},
		{"logged a little later", []change{fresh, locks(42.1, "nightly", "k1")}, "k2", judge.CauseLockedOut, "nightly", "revoke", ""},
		{"by the probes", []change{fresh, locks(42, "", "k1")}, "k2", judge.CauseLockedOut, "search", "revoke", "by rehearse itself with k1"},
		{"by something made up, before anything was changed", []change{refuse("app", "k1", 5, 9, 10), locks(5, "nightly", "unknown")}, "k1", judge.CauseLockedOut, "nightly", "baseline", ""},
		{"long before", []change{fresh, locks(30, "nightly", "k1"), opens(35)}, "k2", judge.CauseUnknown, "search", "emit", ""},
		{"long after", []change{fresh, locks(52, "nightly", "k1")}, "k2", judge.CauseUnknown, "search", "emit", ""},
		{"who locked it", []change{fresh, locks(42, "app", "k2")}, "k2", judge.CauseUnknown, "search", "emit", ""},
		{"the old one, which is revoked", []change{goesOn(37, 50), refuse("app", "k1", 41, 50, 2), locks(41, "nightly", "k1")}, "k1", judge.CauseOutlived, "app", "revoke", ""},
		{"of another authority", []change{fresh, add(history.Event{At: at(42), Kind: history.KindLocked, Service: "checkout", Reader: "nightly", Credential: "k1"})},
			"k2", judge.CauseUnknown, "search", "emit", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == "auth-failures-flat" && f.Credential == tt.presents {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Cause != tt.cause || found[0].Consumer != tt.consumer || found[0].CausedBy != tt.causedBy || !strings.Contains(found[0].Message, tt.says) {
				t.Errorf("got %+v, want one of cause %s by %s, with %s to look at, that says %q", found, tt.cause, tt.causedBy, tt.consumer, tt.says)
			}
		})
	}
}

// TestLockedOutProofs: neither the proof of a revoke nor that of a way back
// blames an authority for what locked it.
func TestLockedOutProofs(t *testing.T) {
	t.Parallel()
	refused := asks(60.45, history.NewAfter, history.AuthFailure)
	for _, f := range judged(t, refused, locks(42, "nightly", "k1")).Findings {
		if f.RuleID == "revocation" && f.Cause == judge.CauseLockedOut && f.Consumer == "nightly" {
			return
		}
	}
	t.Error("revocation: got no finding of nightly and its lockout")
}
