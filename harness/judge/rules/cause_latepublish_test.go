package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestLatePublishBehindABalancer: of two issuers whose sets one address answers with, one that published in time is not
// to blame, whichever the plan has first; nor is the validator that was answered by the other.
func TestLatePublishBehindABalancer(t *testing.T) {
	t.Parallel()
	twin := func(second, first float64) []change { // when each publishes
		return []change{searchLearns(33), publishedAt(first), refuse("app", "k2", 28, 33, 10), func(s *story) {
			s.limits.Gateways = []plan.Gateway{{Name: "edge", Of: []string{"auth", "auth-b"}}}
			s.limits.Validators[1].Via = "edge"
			m := s.limits.Emitters[0]
			m.Name = "auth-b"
			s.limits.Emitters = append(s.limits.Emitters, m)
			s.add(published(0, "auth-b", "k1"), published(at(second), "auth-b", "k1", "k2"), emitting(0, "auth-b", "k1"), emitting(at(28.4), "auth-b", "k2"))
		}}
	}
	with := func(all []change, more ...change) []change { return append(all, more...) }
	answered := func(by string) change { return add(fetched(at(20), by, "auth-b", "k1")) }
	wantFound(t, "auth-failures-flat", "app", []found{
		{"the second was late, and it was answered by that", with(twin(27, 10.2), answered("edge")), judge.CauseLatePublish, "auth-b", "auth-b published it only 17m after it was accepted (the page says 45s)", "make auth-b read the store"},
		{"the first was late, and it was answered by that", with(twin(10.2, 27), add(fetched(at(20), "edge", "auth", "k1"))), judge.CauseLatePublish, "auth", "auth published it only 17m after it was accepted", "make auth read the store"},
		{"the second was late, and nothing shows by whom it was answered", twin(27, 10.2), judge.CauseUnknown, "", "auth-b published it only 17m after it was accepted (the page says 45s), so that search learned it 23m after the start of a lead of 18m; but auth published it in time, edge answers with the set of either, and nothing shows with which search was answered", "have each of auth, auth-b publish within what the page says"},
		{"the first was late, and nothing shows by whom it was answered", twin(10.2, 27), judge.CauseUnknown, "", "but auth-b published it in time", ""},
		{"both were late", twin(27, 26), judge.CauseLatePublish, "auth", "auth published it only 16m after it was accepted", ""},
		{"both were in time", twin(10.3, 10.2), judge.CauseStaleCache, "search", "search learned it 23m after it was accepted", ""},
		{"of the other nothing is seen", with(twin(27, 10.2), without(func(e history.Event) bool { return e.Kind == history.KindPublished && e.Service == "auth" })), judge.CauseUnknown, "", "but nothing shows when auth published it", ""},
	})
}
