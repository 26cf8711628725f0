package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// reads replaces what search fetches: each at a moment, the names in their order.
func reads(moments map[float64][]string) change {
	return func(s *story) {
		searchLearns(0)(s)
		for moment, names := range moments {
			s.add(fetched(at(moment), "search", "auth", names...))
		}
		s.add(learned(at(20), "search", "k2"), probe(at(28), "search", "k2", history.Canary, history.OK), probe(at(60.4), "search", "k2", history.NewAfter, history.OK))
	}
}

// TestFirstOfTheSet: who takes only what comes first is found by that it is the
// other way round when the order is; one that refuses the first is something else.
func TestFirstOfTheSet(t *testing.T) {
	t.Parallel()
	both := map[float64][]string{20: {"k1", "k2"}, 32: {"k2", "k1"}}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"the first key only", []change{reads(both), withoutProbes("search", history.Canary), refuse("app", "k2", 28.4, 32.1, 10)}, judge.CauseOneSlot, "search",
			"takes one key of the set that it fetches, the first: from its fetch at 20m, in which k1 came first", "hold every key of the set"},
		{"the last key only", []change{reads(map[float64][]string{20: {"k2", "k1"}, 32: {"k1", "k2"}}), withoutProbes("search", history.Canary), refuse("app", "k2", 28.4, 32.1, 10)}, judge.CauseOneSlot, "search",
			"takes one key of the set that it fetches, the last: from its fetch at 20m, in which k1 came last", ""},
		{"a canary of the other was taken", []change{reads(both), refuse("app", "k2", 28.4, 32.1, 10)}, judge.CauseUnknown, "search", "", ""},
		{"refused when it comes first, too", []change{reads(both), refuse("app", "k2", 28.4, 36, 10)}, judge.CauseUnknown, "search", "", ""},
		{"the order never changed", []change{reads(map[float64][]string{20: {"k1", "k2"}}), refuse("app", "k2", 28.4, 61, 10)}, judge.CauseUnknown, "search", "", ""},
		{"taken once the set has no other", []change{reads(map[float64][]string{20: {"k2", "k1"}, 42: {"k2"}}), withoutProbes("search", history.Canary), refuse("app", "k2", 28.4, 42.1, 10)}, judge.CauseUnknown, "search", "", ""},
		{"workers, some of which had fetched just then", []change{reads(map[float64][]string{0.1: {"k1"}, 0.12: {"k1"}, 26.9: {"k1", "k2"}, 32: {"k2", "k1"}}), withoutFetchAt(4), withoutProbes("search", history.Canary), alternates(history.Canary, 27), refuse("app", "k2", 28.4, 32.1, 10)},
			judge.CauseSomeReplicas, "search", "it is several replicas or workers", "ask every replica of search"},
		{"some were taken", []change{reads(both), refuse("app", "k2", 28.4, 32.1, 1)}, judge.CauseSomeReplicas, "search", "", ""},
	})
}

// TestSomeReplicas: answers and refusals of one second are those of replicas.
func TestSomeReplicas(t *testing.T) {
	t.Parallel()
	wantFound(t, "auth-failures-flat", "app", []found{
		{"one of three never learned it", []change{refuse("app", "k2", 36.6, 61, 3)}, judge.CauseSomeReplicas, "search", "to the end: 30% of the last; one replica of about 3 never learned it", "restart the one that does not fetch"},
		{"all had learned it before the revoke", []change{refuse("app", "k2", 45, 52, 8)}, judge.CauseUnknown, "search", "", ""},
		{"one learned it later", []change{refuse("app", "k2", 36.6, 45, 3)}, judge.CauseSomeReplicas, "search", "not all of its replicas had learned it, until 34m59s", "ask every replica of search"},
		{"three caches, which fetch one after the other", []change{reads(map[float64][]string{0.1: {"k1"}, 0.12: {"k1"}, 0.14: {"k1"}, 12: {"k1", "k2"}, 20: {"k1", "k2"}, 30: {"k1", "k2"}}),
			withoutFetchAt(4), startsAt(0.2), searchKnows(12), refuse("app", "k2", 29, 29.1, 1)}, judge.CauseSomeReplicas, "search", "the first of 3 fetched it 2m after it was accepted, the last 20m; the lead was 18m", "publish at least 20m30s"},
		{"one of three, which the client seldom meets", []change{alternates(history.Canary, 27), alternates(history.NewAfter, 59), refuse("app", "k2", 36.6, 36.7, 2)},
			judge.CauseSomeReplicas, "search", "8 of 26 answers of search to the harness refused it after others had taken it, after the revoke too: it is several replicas or workers, and one of about 3 never learned it", "restart the one that does not fetch"},
		{"of which nothing tells but its answers", []change{searchLearns(0), withoutFetchAt(4), alternates(history.Canary, 27), refuse("app", "k2", 28.4, 36.7, 2)},
			judge.CauseSomeReplicas, "search", "of search to the harness refused it after others had taken it: it is several", "ask every replica of search"},
		{"workers that began one after the other, so that one fetch began it", []change{reads(map[float64][]string{0.1: {"k1"}, 12: {"k1", "k2"}}), withoutFetchAt(4), startsAt(0.2), searchKnows(12),
			withoutProbes("search", history.Canary), alternates(history.Canary, 27), refuse("app", "k2", 28.4, 36.7, 2)},
			judge.CauseSomeReplicas, "search", "not all of its replicas had learned it, until", "ask every replica of search"},
		{"one cache, whose answers to clients differ", []change{reads(map[float64][]string{0.1: {"k1"}, 12: {"k1", "k2"}}), withoutFetchAt(4), startsAt(0.2), searchKnows(12),
			withoutProbes("search", history.Canary), canaries(27, "nnnyyyyyyyyy"), refuse("app", "k2", 28.4, 36.7, 2)}, judge.CauseUnknown, "search", "", ""},
		{"one that learned while it was asked", []change{withoutProbes("search", history.Canary), canaries(27, "nnnnnnyyyyyy"), refuse("app", "k2", 36.6, 36.7, 2)}, judge.CauseUnknown, "search", "", ""},
		{"all are refused", []change{refuse("app", "k2", 45, 47, 10)}, judge.CauseUnknown, "search", "", ""},
		{"noise", []change{noise(0, 61)}, judge.CauseUnknown, "search", "", ""},
	}[:10])
}

// canaries shows search k2 at the end of the lead: y is taken, n refused.
func canaries(from float64, answers string) change { return shows(history.Canary, from, answers) }

func shows(purpose history.Purpose, from float64, answers string) change {
	return func(s *story) {
		for i, answer := range answers {
			outcome := history.OK
			if answer == 'n' {
				outcome = history.AuthFailure
			}
			s.add(probe(at(from+float64(i)/100), "search", "k2", purpose, outcome))
		}
	}
}

// alternates is a third of search's replicas that refuses k2.
func alternates(purpose history.Purpose, from float64) change {
	return shows(purpose, from, "ynyynyynyyny")
}
