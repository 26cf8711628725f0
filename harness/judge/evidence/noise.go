package evidence

import (
	"fmt"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// MostNoise is the share of failures from which a baseline is no noise any more: a party that fails
// every other time before anything was changed is down.
const MostNoise = 0.5

// mostWindows is the largest number of windows that a baseline is cut into.
const mostWindows = 1000

// Tally is how many of some attempts failed.
type Tally struct{ Bad, Of int64 }

// Share is the part that failed, from 0 to 1; 0 of no attempts.
func (t Tally) Share() float64 { return float64(t.Bad) / math.Max(1, float64(t.Of)) }

// Stream is the stream of attempts in which one kind of failure is looked for: the cells that are taken
// together, and what counts as bad.
type Stream struct {
	*Evidence
	Keys []history.CellKey
	bad  func(*history.Counts) int64
	// sessions is how many sessions share the attempts; less than 2: unknown. One bad session fails
	// again and again: the failing sessions are what is independent.
	sessions int64
	// spans are the stretches in which failures would lie if the rotation had caused them.
	spans [][2]history.Offset
}

// Refusals are the auth failures of a cell.
func (e *Evidence) Refusals(key history.CellKey) Stream {
	client, _ := e.Limits.Client(key.Presenter)
	s := Stream{Evidence: e, Keys: []history.CellKey{key}, bad: func(c *history.Counts) int64 { return c.AuthFailures }, sessions: int64(client.Sessions)}
	emitted, _ := e.Begun(keyring.Emit, e.Fresh)
	revoked, was := e.Begun(keyring.Revoke, e.Old)
	v, _ := e.Limits.Validator(key.Validator)
	switch w := e.WayTo(v); {
	case key.Credential == e.Fresh && w.EverLearned:
		s.spans = [][2]history.Offset{{emitted, w.LearnedAt}}
	case key.Credential == e.Old && was:
		s.spans = [][2]history.Offset{{revoked, e.End + 1}}
	}
	return s
}

// Misses are a client's attempts without a good answer at the service that it calls, whatever it
// presented.
func (e *Evidence) Misses(client, to string) Stream {
	s := Stream{Evidence: e, bad: func(c *history.Counts) int64 { return c.Unavailable }}
	for _, key := range e.View.Keys() {
		if key.Source == history.FromLoad && key.Presenter == client && key.Validator == to {
			s.Keys = append(s.Keys, key)
		}
	}
	return s
}

// In is the tally of [from, to).
func (s Stream) In(from, to history.Offset) (t Tally) {
	for _, key := range s.Keys {
		sum := s.View.Sum(key, from, to)
		t.Bad, t.Of = t.Bad+s.bad(&sum), t.Of+sum.Attempts
	}
	return t
}

// independent is the tally of [from, to) by sessions where they are known, else by attempts.
func (s Stream) independent(from, to history.Offset) Tally {
	t := s.In(from, to)
	if s.sessions < 2 {
		return t
	}
	failed := map[string]bool{}
	for _, key := range s.Keys {
		sum := s.View.Sum(key, from, to)
		for session := range sum.FailedSessions {
			failed[session] = true
		}
	}
	if len(failed) == 0 {
		return t
	}
	return Tally{min(int64(len(failed)), t.Of), min(s.sessions, t.Of)}
}

// concentrated reports whether the baseline's failures are those of a few sessions that fail again and
// again.
func (s Stream) concentrated() bool {
	if s.sessions < 2 {
		return false
	}
	base := s.Baseline(s.Keys[0].Presenter, s.Keys[0].Validator)
	return base.AuthFailures >= 3 && int64(len(base.FailedSessions)) <= base.AuthFailures/2
}

// Usual is the independent tally of the baseline's windows of a length; of the whole baseline where
// that is shorter.
func (s Stream) Usual(length history.Offset) (t Tally) {
	length = max(length, BucketWidth, (s.Changed()-s.Start)/mostWindows)
	base := s
	base.Keys = s.usualKeys()
	until := s.Changed()
	for from := s.Start; from < until; from += length {
		if from+length > until && from > s.Start {
			break
		}
		in := base.independent(from, min(from+length, until-BucketWidth))
		t.Bad, t.Of = t.Bad+in.Bad, t.Of+in.Of
	}
	return t
}

// usualKeys are the cells of the baseline, in which there is the old credential only.
func (s Stream) usualKeys() []history.CellKey {
	if len(s.Keys) != 1 || s.Keys[0].Credential != s.Fresh {
		return s.Keys
	}
	old := s.Keys[0]
	old.Credential = s.Old
	return []history.CellKey{old}
}

// Before is the tally of the buckets that lie wholly in the baseline.
func (s Stream) Before() (t Tally) {
	until := s.Changed()
	for _, key := range s.usualKeys() {
		for _, b := range s.View.Buckets(key, s.Start, until) {
			if b.At+b.Width <= until {
				t.Bad, t.Of = t.Bad+s.bad(b.Counts), t.Of+b.Attempts
			}
		}
	}
	return t
}

// Burst is the stretch in which more failed than usual: from the first to the last of the stretches
// whose failures chance does not explain, given the usual and the number of stretches. Each is compared
// by itself: a burst must not hide in the noise around it, and noise is no burst however long it lasts.
// The narrowest come first: the spans of the mechanism, windows of a second, of ten, whole phases.
func (s Stream) Burst(usually func(length history.Offset) Tally, after history.Offset) (from, to history.Offset, found bool) {
	within := func(begin, end history.Offset, t, usual Tally, looks float64) {
		if end-begin < BucketWidth || t.Bad == 0 || t.Share() < Rise*usual.Share() || byChance(usual, t) > Chance/math.Max(1, looks) {
			return
		}
		if !found || begin < from {
			from = begin
		}
		found, to = true, max(to, end)
	}
	for _, span := range s.spans {
		begin, end := max(span[0], after), span[1]
		t, usual := s.In(begin, end), s.Before()
		if s.concentrated() {
			t, usual = s.independent(begin, end), s.Usual(end-begin)
		}
		within(begin, end, t, usual, float64(len(s.spans)+1))
	}
	failing, length := s.failing(after), float64((s.End - after).Duration())
	for _, w := range Windows {
		if found {
			return from, to, found
		}
		wide := history.Offset(w.Length)
		for _, at := range failing {
			within(at, at+wide, s.independent(at, at+wide), usually(wide), length/float64(w.Length)*float64(len(Windows)))
		}
	}
	for _, p := range s.Phases {
		// In more time more sessions fail once: only stretches no longer than the baseline are compared
		// with it. A slow rise shows in the comparison of shares.
		begin, end := p.Span()
		if !found && begin >= after && (s.sessions < 2 || end-begin <= s.Changed()-s.Start) {
			within(begin, end, s.independent(begin, end), usually(end-begin), float64(len(s.Phases)))
		}
	}
	return from, to, found
}

// failing are the beginnings of the buckets with a failure since a moment, in order.
func (s Stream) failing(after history.Offset) []history.Offset {
	var at []history.Offset
	for _, key := range s.Keys {
		for _, b := range s.View.Buckets(key, after, s.End+1) {
			if s.bad(b.Counts) > 0 {
				at = append(at, b.At)
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// Scattered reports whether the failures since the baseline lie scattered as if by chance, so few that
// a baseline of that length need not have shown any: nobody can tell then whether the rotation caused
// them. enough is how many attempts a baseline needs to tell.
func (s Stream) Scattered() (enough int64, yes bool) {
	base, t := s.Before(), s.In(s.Changed(), s.End+1)
	if t.Bad == 0 || base.Of == 0 || base.Bad > 0 || t.Share() > 1-MostNoise {
		return 0, false
	}
	enough = int64(math.Ceil(-math.Log(unshown) / t.Share()))
	if base.Of >= enough {
		return enough, false
	}
	attempts := s
	attempts.sessions = 0 // both sides are counted by attempts
	_, _, burst := attempts.Burst(func(history.Offset) Tally { return Tally{t.Bad, t.Of + base.Of} }, s.Changed())
	return enough, !burst
}

// byChance is the chance that at least as many of a stretch's attempts fail, if the failures of the
// stretch and of the usual are spread over all attempts by chance (the hypergeometric tail of Fisher's
// exact test: it needs no estimate of the rate, and is right for small numbers).
func byChance(usual, t Tally) float64 {
	all, bad := usual.Of+t.Of, usual.Bad+t.Bad
	p := 0.0
	for k := t.Bad; k <= min(bad, t.Of); k++ {
		if bad-k > usual.Of {
			continue
		}
		p += math.Exp(choose(t.Of, k) + choose(usual.Of, bad-k) - choose(all, bad))
	}
	return p
}

// choose is the logarithm of a binomial coefficient.
func choose(n, k int64) float64 {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// unshown is how seldom a baseline may show nothing of failures that are usual, for it to tell that they are
// not.
const unshown = 0.01

// CannotTell says that nobody can tell where scattered failures come from, and from how many attempts
// on a baseline could.
func CannotTell(who, where string, t, base Tally, enough int64) string {
	return fmt.Sprintf("%d of %d attempts of %s at %s failed here and there, and a baseline of %d without one does not tell whether that is usual: from %d attempts on one does",
		t.Bad, t.Of, who, where, base.Of, enough)
}

// String is "3 of 245".
func (t Tally) String() string {
	return fmt.Sprintf("%d of %d", t.Bad, t.Of)
}
