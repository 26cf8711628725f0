package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// poisons adds that the database of search refused what search logged in with.
func poisons(moment float64, reader, credential string) change {
	return add(history.Event{At: at(moment), Kind: history.KindLocked, Service: "search", Reader: reader, Credential: credential, Count: 1, What: contract.LoginRetry, Detail: "no"})
}

// TestPoisonedPool: who is refused by a pooler that lets nobody in is told apart
// from who has a wrong password, and from pools that have nothing to do with it.
func TestPoisonedPool(t *testing.T) {
	t.Parallel()
	fresh := refuse("app", "k2", 42, 50, 10)
	oneLogin := limit(func(l *plan.Limits) {
		l.Validators = append(l.Validators, plan.Validator{Name: "db", Authority: true, Keys: 1, Behind: "search"})
	})
	opens := add(history.Event{At: at(35), Kind: history.KindUnlocked, Service: "search"})
	for _, tt := range []struct {
		name    string
		changes []change
		cause   judge.Cause
		says    string
	}{
		{"by who logged in last", []change{fresh, oneLogin, poisons(42, "nightly", "k1")}, judge.CausePoisonedPool, "with the password of k1, with which nightly had logged in to it last"},
		{"by its own file", []change{fresh, oneLogin, poisons(42, "search", "k1")}, judge.CausePoisonedPool, "with the password of k1, which is in its file"},
		{"in the pool of that login", []change{fresh, poisons(42, "app", "k2")}, judge.CausePoisonedPool, "with the password of k2"},
		{"in the pool of another login", []change{fresh, poisons(42, "nightly", "k1")}, judge.CauseUnknown, ""},
		{"that was over", []change{fresh, oneLogin, poisons(30, "nightly", "k1"), opens}, judge.CauseUnknown, ""},
		{"long after", []change{fresh, oneLogin, poisons(52, "nightly", "k1")}, judge.CauseUnknown, ""},
		{"not at all", []change{fresh, oneLogin}, judge.CauseUnknown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == "auth-failures-flat" && f.Credential == "k2" {
					if f.Cause != tt.cause || !strings.Contains(f.Message, tt.says) {
						t.Errorf("got %+v, want cause %s that says %q", f, tt.cause, tt.says)
					}
					return
				}
			}
			t.Error("got no finding of k2")
		})
	}
}
