package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// presentsBoth makes auth an emitter that presents every accepted credential at
// once, as a sender of webhooks does that signs with two secrets.
var presentsBoth = limit(func(l *plan.Limits) { l.Emitters[0].Several = true })

// learnsAt moves when search learned k2; 0: it never did.
func learnsAt(seconds float64) change {
	return func(s *story) {
		without(func(e history.Event) bool {
			return e.Service == "search" && e.Credential == "k2" && e.Kind == history.KindLearned ||
				e.Service == "search" && e.Kind == history.KindFetched && e.At > at(10)
		})(s)
		if seconds > 0 {
			s.add(fetched(at(seconds), "search", "auth", "k2"), learned(at(seconds), "search", "k2"))
		}
	}
}

// What a presenter of both was still taken with is the validator's affair, if
// that could not take the new one; and what is refused from the revoke on was
// brought about by that, since the old one was presented beside it until then.
func TestPresentingBoth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		changes  []change
		rule     string
		consumer string
		cause    judge.Cause
		causedBy string
	}{
		{"of one, in use to the last second", []change{goesOn(37, 40.5), learnsAt(0)}, "distribution", "app", judge.CauseOutlived, "revoke"},
		{"of both, and never learned", []change{presentsBoth, goesOn(37, 40.5), learnsAt(0)}, "distribution", "search", judge.CauseNeverLearned, "revoke"},
		{"of both, and learned after the revoke", []change{presentsBoth, goesOn(37, 40.5), learnsAt(46)}, "distribution", "search", judge.CauseStaleCache, "revoke"},
		{"of both, and learned before", []change{presentsBoth, goesOn(37, 40.5)}, "distribution", "app", judge.CauseOutlived, "revoke"},
		{"of one, refused after the revoke", []change{refuse("app", "k2", 41, 60, 10), learnsAt(0)}, "auth-failures-flat", "search", judge.CauseNeverLearned, "emit"},
		{"of both, refused after the revoke", []change{presentsBoth, refuse("app", "k2", 41, 60, 10), learnsAt(0)}, "auth-failures-flat", "search", judge.CauseNeverLearned, "revoke"},
		{"of both, refused until it had learned the new one", []change{presentsBoth, learnsAt(20), refuse("app", "k1", 11, 20, 10)}, "auth-failures-flat", "search", judge.CauseOneSignature, "accept"},
		{"of both, refused long after it had", []change{presentsBoth, learnsAt(20), refuse("app", "k1", 11, 26, 10)}, "auth-failures-flat", "search", judge.CauseUnknown, "accept"},
		{"of one, refused until it had learned the new one", []change{learnsAt(20), refuse("app", "k1", 11, 20, 10)}, "auth-failures-flat", "search", judge.CauseUnknown, "accept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			found := 0
			for _, f := range v.Findings {
				if f.RuleID != tt.rule {
					continue
				}
				found++
				if f.Consumer != tt.consumer || f.Cause != tt.cause || f.CausedBy != tt.causedBy {
					t.Errorf("finding: got %s, want consumer %s, cause %s, caused by %s", text(f), tt.consumer, tt.cause, tt.causedBy)
				}
			}
			if found != 1 {
				t.Errorf("got %d findings of %s, want one", found, tt.rule)
			}
		})
	}
}

// Where nobody waits for what an emitter presents, its own attempts say whether
// those are there to whom it presents.
func TestAvailabilityBehindAQueue(t *testing.T) {
	t.Parallel()
	v := judged(t, atTheAuthority, unavailable("search", 45, 47))
	wantRule(t, v, "availability", judge.Fail)
	wantSaid(t, v, "availability", "search got no answer from provider for 200 of")
	for _, f := range v.Findings {
		if f.RuleID == "availability" && (f.Consumer != "provider" || f.Presenter != "search" || f.Validator != "provider" || f.Cause != judge.CauseServiceDown) {
			t.Errorf("finding: got %s, want the provider, which was down", text(f))
		}
	}
	cut := func(stage string, moment float64, took bool) history.Event {
		e := fault(at(moment), "cut", "search → provider", stage, took)
		e.Fault.From, e.Fault.To = "search", "provider"
		return e
	}
	v = judged(t, atTheAuthority, unavailable("search", 45, 47), add(cut("injected", 44.9, false), cut("evidence", 45.2, true), cut("undone", 47, false)))
	wantSaid(t, v, "availability", "the way search → provider was disturbed; the fault cut on search → provider was in effect from")
	for _, f := range v.Findings {
		if f.RuleID == "availability" && (f.Consumer != "search → provider" || f.CausedBy != "cut") {
			t.Errorf("finding: got %s, want the way, which was cut", text(f))
		}
	}
	// Errors that the new credential alone gets may be refusals: nothing is flat then.
	alone := judged(t, atTheAuthority, instead("search", "k2", "503", 28.4, 61, 10))
	wantRule(t, alone, "auth-failures-flat", judge.Inconclusive)
	if got := rule(t, alone, "auth-failures-flat").Detail; !strings.Contains(got, "requests of search with k2, and to none with k1: this may be how it refuses") {
		t.Errorf("flat: got %q, want that it may refuse in other words", got)
	}
	wantRule(t, v, "auth-failures-flat", judge.Pass)
	inside := judged(t, atTheAuthority, objective(0.9), unavailable("search", 45, 47))
	wantRule(t, inside, "availability", judge.Pass)
	// Who calls the emitter has felt it: one finding is enough.
	felt := judged(t, atTheAuthority, unavailable("search", 45, 47), unavailable("app", 45, 47))
	found := 0
	for _, f := range felt.Findings {
		if f.RuleID == "availability" {
			found++
		}
	}
	if found != 1 {
		t.Errorf("got %d findings of availability where the caller felt it, want one", found)
	}
}
