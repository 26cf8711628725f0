package plan

import (
	"slices"
	"testing"
	"time"
)

// TestShortenings: the slowest verifier decides lead and watch, until the next one does; the longest
// life decides the window; what does not decide is not told.
func TestShortenings(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario)
	all := Shortenings(l, Options{})
	find := func(path string) Shortening {
		i := slices.IndexFunc(all, func(s Shortening) bool { return s.Path == path })
		if i < 0 {
			return Shortening{}
		}
		return all[i]
	}
	if s := find("consumers.search.learns_within"); s.Now != 15*time.Minute || s.Less <= 0 || s.Less > s.Now/2 || !slices.Equal(s.Of, []string{"lead"}) {
		t.Errorf("the slowest verifier: got %+v, want up to half of 15m less of the lead", s)
	}
	if s := find("format.longest_life"); s.Less != 5*time.Minute || !slices.Equal(s.Of, []string{"window"}) {
		t.Errorf("the longest life of 10m: got %+v, want 5m less of the window", s)
	}
	if s := find("rollout.lead"); s.Path != "" {
		t.Errorf("the lead itself: got %+v, want nothing: no bound hangs on it", s)
	}
	if !slices.IsSortedFunc(all, func(a, b Shortening) int { return int(b.Less - a.Less) }) {
		t.Errorf("got %+v, want the most first", all)
	}
}
