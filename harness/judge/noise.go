package judge

import (
	"fmt"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// mostNoise is the share of failures beyond which a baseline is no noise: a party
// that fails every other time before anything is changed is down.
const mostNoise = 0.5

// mostWindows is the largest number of windows that a baseline is cut into.
const mostWindows = 1000

// tally is how many of some attempts failed.
type tally struct{ bad, of int64 }

func (t tally) share() float64 { return float64(t.bad) / math.Max(1, float64(t.of)) }

// stream is what one kind of failure is looked for in: the cells whose attempts
// are taken together, and what counts as bad of them.
type stream struct {
	*evidence
	keys []history.CellKey
	bad  func(*history.Counts) int64
	// sessions is how many share the attempts; less than 2: nobody knows. One bad
	// session fails again and again: what is independent are the sessions that fail.
	sessions int64
	// spans are stretches in which what happened says that failures would lie, had
	// the rotation caused them.
	spans [][2]history.Offset
}

// refusals are the auth failures of a cell.
func (e *evidence) refusals(key history.CellKey) stream {
	client, _ := e.limits.Client(key.Presenter)
	s := stream{evidence: e, keys: []history.CellKey{key}, bad: func(c *history.Counts) int64 { return c.AuthFailures }, sessions: int64(client.Sessions)}
	emitted, _ := e.begun(string(keyring.Emit), e.fresh)
	revoked, was := e.begun(string(keyring.Revoke), e.old)
	v, _ := e.limits.Validator(key.Validator)
	switch w := e.wayTo(v); {
	case key.Credential == e.fresh && w.everLearned:
		s.spans = [][2]history.Offset{{emitted, w.learnedAt}}
	case key.Credential == e.old && was:
		s.spans = [][2]history.Offset{{revoked, e.end + 1}}
	}
	return s
}

// misses are the attempts of a client at the service that it calls, whatever it
// presented, that got no good answer.
func (e *evidence) misses(client, to string) stream {
	s := stream{evidence: e, bad: func(c *history.Counts) int64 { return c.Unavailable }}
	for _, key := range e.view.Keys() {
		if key.Source == history.FromLoad && key.Presenter == client && key.Validator == to {
			s.keys = append(s.keys, key)
		}
	}
	return s
}

// in is the tally of [from, to).
func (s stream) in(from, to history.Offset) (t tally) {
	for _, key := range s.keys {
		sum := s.view.Sum(key, from, to)
		t.bad, t.of = t.bad+s.bad(&sum), t.of+sum.Attempts
	}
	return t
}

// independent is the tally of [from, to) of what is independent: of sessions
// where they are known.
func (s stream) independent(from, to history.Offset) tally {
	t := s.in(from, to)
	if s.sessions < 2 {
		return t
	}
	failed := map[string]bool{}
	for _, key := range s.keys {
		sum := s.view.Sum(key, from, to)
		for session := range sum.FailedSessions {
			failed[session] = true
		}
	}
	if len(failed) == 0 {
		return t
	}
	return tally{min(int64(len(failed)), t.of), min(s.sessions, t.of)}
}

// concentrated says that the baseline's failures are those of a few sessions, each
// of which fails again and again.
func (s stream) concentrated() bool {
	if s.sessions < 2 {
		return false
	}
	base := s.baseline(s.keys[0].Presenter, s.keys[0].Validator)
	return base.AuthFailures >= 3 && int64(len(base.FailedSessions)) <= base.AuthFailures/2
}

// usual is the tally of the baseline's windows of a length, of what is
// independent in each; the whole baseline where that is shorter.
func (s stream) usual(length history.Offset) (t tally) {
	length = max(length, bucketWidth, (s.changed()-s.start)/mostWindows)
	base := s
	base.keys = s.usualKeys()
	until := s.changed()
	for from := s.start; from < until; from += length {
		if from+length > until && from > s.start {
			break
		}
		in := base.independent(from, min(from+length, until-bucketWidth))
		t.bad, t.of = t.bad+in.bad, t.of+in.of
	}
	return t
}

// usualKeys are the cells of the baseline, in which there is the old credential only.
func (s stream) usualKeys() []history.CellKey {
	if len(s.keys) != 1 || s.keys[0].Credential != s.fresh {
		return s.keys
	}
	old := s.keys[0]
	old.Credential = s.old
	return []history.CellKey{old}
}

// before is the tally of the buckets that lie wholly in the baseline.
func (s stream) before() (t tally) {
	until := s.changed()
	for _, key := range s.usualKeys() {
		for _, b := range s.view.Buckets(key, s.start, until) {
			if b.At+b.Width <= until {
				t.bad, t.of = t.bad+s.bad(b.Counts), t.of+b.Attempts
			}
		}
	}
	return t
}

// burst is the stretch in which more failed than was usual: from the first to
// the last of the stretches whose failures chance does not explain, by what is
// usual and by how many there were to look at. Each is compared by itself: a burst
// may not hide in the noise around it, and noise is no burst however long it lasts.
// The narrowest are asked first: where a mechanism would have its failures, windows
// of a second, of ten, whole phases.
func (s stream) burst(usually func(length history.Offset) tally, after history.Offset) (from, to history.Offset, found bool) {
	within := func(begin, end history.Offset, t, usual tally, looks float64) {
		if end-begin < bucketWidth || t.bad == 0 || t.share() < rise*usual.share() || byChance(usual, t) > chance/math.Max(1, looks) {
			return
		}
		if !found || begin < from {
			from = begin
		}
		found, to = true, max(to, end)
	}
	for _, span := range s.spans {
		begin, end := max(span[0], after), span[1]
		t, usual := s.in(begin, end), s.before()
		if s.concentrated() {
			t, usual = s.independent(begin, end), s.usual(end-begin)
		}
		within(begin, end, t, usual, float64(len(s.spans)+1))
	}
	failing, length := s.failing(after), float64((s.end - after).Duration())
	for _, w := range windows {
		if found {
			return from, to, found
		}
		wide := history.Offset(w.length)
		for _, at := range failing {
			within(at, at+wide, s.independent(at, at+wide), usually(wide), length/float64(w.length)*float64(len(windows)))
		}
	}
	for _, p := range s.phases {
		// Of more time more sessions fail once: only what is no longer than the baseline
		// is compared with it. What rises slowly is for whoever compares shares.
		begin, end := p.span()
		if !found && begin >= after && (s.sessions < 2 || end-begin <= s.changed()-s.start) {
			within(begin, end, s.independent(begin, end), usually(end-begin), float64(len(s.phases)))
		}
	}
	return from, to, found
}

// failing are the beginnings of the buckets with a failure since a moment, in order.
func (s stream) failing(after history.Offset) []history.Offset {
	var at []history.Offset
	for _, key := range s.keys {
		for _, b := range s.view.Buckets(key, after, s.end+1) {
			if s.bad(b.Counts) > 0 {
				at = append(at, b.At)
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// scattered says that failures since the baseline lie as if by chance all over
// the time, so few that a baseline of that length need not have shown any: then
// nobody can tell whether they came of the rotation. Enough is from how many
// attempts on a baseline could.
func (s stream) scattered() (enough int64, yes bool) {
	base, t := s.before(), s.in(s.changed(), s.end+1)
	if t.bad == 0 || base.of == 0 || base.bad > 0 || t.share() > 1-mostNoise {
		return 0, false
	}
	enough = int64(math.Ceil(-math.Log(chance) / t.share()))
	if base.of >= enough {
		return enough, false
	}
	attempts := s
	attempts.sessions = 0 // what is compared is counted by attempts on both sides
	_, _, burst := attempts.burst(func(history.Offset) tally { return tally{t.bad, t.of + base.of} }, s.changed())
	return enough, !burst
}

// byChance is how likely it is that at least as many of a stretch's attempts
// fail as did, where those that failed in it and in what is usual are spread over
// all attempts by chance (a hypergeometric tail, as of Fisher's exact test: it
// needs no estimate of the rate, and is right for small numbers).
func byChance(usual, t tally) float64 {
	all, bad := usual.of+t.of, usual.bad+t.bad
	p := 0.0
	for k := t.bad; k <= min(bad, t.of); k++ {
		if bad-k > usual.of {
			continue
		}
		p += math.Exp(choose(t.of, k) + choose(usual.of, bad-k) - choose(all, bad))
	}
	return p
}

// choose is the logarithm of a binomial coefficient.
func choose(n, k int64) float64 {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// cannotTell says of failures that lie scattered that nobody can tell where they
// come from, and from how many attempts on a baseline could.
func cannotTell(who, where string, t, base tally, enough int64) string {
	return fmt.Sprintf("%d of %d attempts of %s at %s failed here and there, and a baseline of %d without one does not tell whether that is usual: from %d attempts on one does",
		t.bad, t.of, who, where, base.of, enough)
}

// String is "3 of 245".
func (t tally) String() string {
	return fmt.Sprintf("%d of %d", t.bad, t.of)
}
