package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// restarted is a fault of the run itself that starts a service anew, with its evidence.
func restarted(target string, from, until float64) change {
	return add(fault(at(from), "restart", target, history.FaultInjected, false), fault(at(from), "restart", target, history.FaultEvidence, true),
		fault(at(until), "restart", target, history.FaultUndone, false))
}

// TestStartedAnew: who learned by being started anew, and by nothing else, would not
// have by any lead; who had fetched before, or was not yet due, was late.
func TestStartedAnew(t *testing.T) {
	t.Parallel()
	refused := refuse("app", "k2", 28.4, 40, 10)
	soon := []change{withoutFetchAt(4), early(5), searchLearns(20), refuse("app", "k2", 15.4, 20, 10)}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"it had never fetched before", []change{withoutFetchAt(4), searchLearns(40), restarted("search", 39.8, 39.9), refused},
			judge.CauseNeverLearned, "search", "only when it was restarted (the fault restart), 30m after it was accepted, and had not fetched before; the page says that it learns within 15m", "no lead is long enough"},
		{"it had fetched before", []change{searchLearns(40), restarted("search", 39.8, 39.9), refused}, judge.CauseStaleCache, "search", "", "publish at least"},
		{"nothing started it", []change{withoutFetchAt(4), searchLearns(40), refused}, judge.CauseStaleCache, "search", "", "publish at least"},
		{"long after it was started", []change{withoutFetchAt(4), searchLearns(40), restarted("search", 37, 37.1), refused}, judge.CauseStaleCache, "search", "", ""},
		{"with what it had kept", []change{restarted("search", 42, 42.1), refuse("app", "k2", 42.5, 50, 10), add(fetched(at(50), "search", "auth", "k1", "k2"))},
			judge.CauseStaleCache, "search", "search took it, was restarted at 42m (the fault restart) and refused it from then on, until it fetched the set, 8m after that", "fetch the set when it starts"},
		{"with what it had kept, to the end", []change{restarted("search", 42, 42.1), refuse("app", "k2", 42.5, 61, 10)},
			judge.CauseStaleCache, "search", "and had not fetched the set by the end", ""},
		{"and it fetched the set at once", []change{restarted("search", 42, 42.1), refuse("app", "k2", 42.5, 50, 10), add(fetched(at(42.2), "search", "auth", "k1", "k2"))}, judge.CauseUnknown, "search", "", ""},
		{"before it had to", append(soon, restarted("search", 19.8, 19.9)), judge.CauseStaleCache, "search", "", ""},
	})
}
