package board

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

const (
	// recent is how far back "now" reaches: long enough that one request a second
	// is seen, short enough that what has ended is seen to have.
	recent = history.Offset(3 * time.Second)
	// kept is how far back single buckets are kept, for the latencies.
	kept = history.Offset(10 * time.Second)
)

// Pair is a presenter at a validator, as one source saw them.
type Pair struct {
	Source    history.Source
	Presenter string
	Validator string
}

// Row is what a pair did since the baseline began, or before it since the start.
// First attempts only.
type Row struct {
	Pair
	Slot
	Statuses map[string]int64
	Used     map[string]*Use // by credential
	First    history.Offset  // auth failure; only where there was one
	Last     history.Offset  // auth failure
	InPhase  history.Phase   // of the first auth failure
	// Gone is when the validator gave the presenter no answer; zero: it always did.
	Gone    history.Gap
	GoneIn  history.Phase // in which that began
	Series  Series
	buckets []bucket       // that are kept, in order
	order   int            // in which it came
	since   history.Offset // of its first count
	until   history.Offset // end of its last
	spent   float64        // of the error budget, at the most
}

// Use is how a credential fared.
type Use struct{ Attempts, AuthFailures int64 }

// bucket is what was counted of one credential in one stretch of time.
type bucket struct {
	at         history.Offset
	credential string
	Slot
	latency [][2]int64
}

func (b *Board) row(p Pair) *Row {
	r := b.byPair[p]
	if r == nil {
		r = &Row{Pair: p, Statuses: map[string]int64{}, Used: map[string]*Use{}, order: len(b.rows)}
		b.byPair[p] = r
		b.rows = append(b.rows, r)
	}
	return r
}

// clear forgets what was counted before the baseline: the judge does not look
// at it either, and a person may hold a run there for long.
func (b *Board) clear() {
	for _, r := range b.rows {
		r.Slot, r.Statuses, r.Used = Slot{}, map[string]int64{}, map[string]*Use{}
		r.First, r.Last, r.InPhase = 0, 0, ""
		r.Gone, r.GoneIn, r.until, r.spent = history.Gap{}, "", 0, 0
	}
}

// count takes counts into account.
func (b *Board) count(e history.Event) {
	c := e.Counts
	if c == nil || c.Source == history.FromProbe {
		return
	}
	r := b.row(Pair{c.Source, c.Presenter, c.Validator})
	if r.Attempts == 0 {
		r.since = e.At
	}
	n := Slot{Attempts: c.Attempts, AuthFailures: c.AuthFailures, Unavailable: c.Unavailable}
	if fresh := (*State)(b).New(); fresh != "" && c.Credential == fresh {
		n.New = c.Attempts
	}
	b.miss(r, e.At, c)
	if n.AuthFailures > 0 {
		first, last := c.FirstFailure, c.LastFailure
		if first == 0 {
			first, last = e.At, e.At
		}
		if r.AuthFailures == 0 {
			r.First, r.InPhase = first, b.view.Phase
		}
		r.Last = max(r.Last, last)
	}
	r.add(n)
	r.until = e.At + c.Width
	r.spent = max(r.spent, b.spends(r))
	r.Series.add(e.At, n)
	for status, count := range c.Statuses {
		r.Statuses[status] += count
	}
	use := r.Used[c.Credential]
	if use == nil {
		use = &Use{}
		r.Used[c.Credential] = use
	}
	use.Attempts += n.Attempts
	use.AuthFailures += n.AuthFailures
	r.buckets = append(r.buckets, bucket{e.At, c.Credential, n, c.Latency})
	if old, _ := slices.BinarySearchFunc(r.buckets, e.At-kept, func(b bucket, at history.Offset) int { return cmp.Compare(b.at, at) }); old > 64 {
		r.buckets = slices.Delete(r.buckets, 0, old)
	}
}

// miss notes that a row had no answer: attempts that were given up, or none that
// came to an end since its last count.
func (b *Board) miss(r *Row, at history.Offset, c *history.Counts) {
	from := at
	switch {
	case c.Unavailable > 0:
	case r.until > 0 && at-r.until > recent && r.expects(at) >= silence:
		from = r.until
	default:
		return
	}
	if r.Gone == (history.Gap{}) {
		r.Gone.From, r.GoneIn = from, b.view.Phase
	}
	r.Gone.To = max(r.Gone.To, at)
}

// expects is how many attempts would usually come to an end in a recent time.
func (r *Row) expects(now history.Offset) float64 {
	return float64(r.Attempts) / max(now-r.since, recent).Duration().Seconds() * recent.Duration().Seconds()
}

// spends is the part of the error budget that a row has spent: of what the objective
// allows of all attempts of the run as it is planned, at the rate so far. A budget
// of those so far would be spent by the first failure, and then come back.
func (b *Board) spends(r *Row) float64 {
	if r.AuthFailures == 0 {
		return 0
	}
	whole := time.Duration(0)
	for _, p := range history.Phases() {
		whole += (*State)(b).length(p)
	}
	so := max(r.until-r.since, recent).Duration()
	attempts := float64(r.Attempts) * max(1, whole.Seconds()/so.Seconds())
	return plan.Spent(b.run.Limits.Objective, r.AuthFailures, int64(attempts))
}

// Figures are what a row does now.
type Figures struct {
	Slot
	Rate   float64          // attempts a second
	P99    time.Duration    // 0: not known
	Shares map[string]int64 // attempts by credential
	Failed map[string]int64 // auth failures by credential
	// Silent says that nothing came to an end where it would have been expected:
	// attempts hang, or are not made any more.
	Silent bool
}

// silence is how many attempts must be missing for a row to be silent.
const silence = 5

// RowNow is what a row did in the last moments.
func (s *State) RowNow(r *Row) Figures {
	f := Figures{Shares: map[string]int64{}, Failed: map[string]int64{}}
	now := s.Now()
	var latency [][2]int64
	for _, b := range slices.Backward(r.buckets) {
		if b.at < now-kept {
			break
		}
		latency = append(latency, b.latency...)
		if b.at >= now-recent {
			f.add(b.Slot)
			f.Shares[b.credential] += b.Attempts
			f.Failed[b.credential] += b.AuthFailures
		}
	}
	span := min(recent, max(now-s.view.PhaseStart[history.Baseline], history.Offset(time.Second)))
	f.Rate = float64(f.Attempts) / span.Duration().Seconds()
	f.P99 = percentile(latency, 0.99)
	if f.Attempts == 0 && r.Attempts > 0 && !s.rotated {
		f.Silent = r.expects(now) >= silence
	}
	return f
}

// percentile is the latency that a share of the counted ones does not exceed.
func percentile(pairs [][2]int64, share float64) time.Duration {
	var total int64
	for _, p := range pairs {
		total += p[1]
	}
	if total == 0 {
		return 0
	}
	slices.SortFunc(pairs, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	rank := int64(math.Ceil(share*float64(total))) - 1
	for _, p := range pairs {
		if rank < p[1] {
			return time.Duration(p[0]) * time.Microsecond
		}
		rank -= p[1]
	}
	return time.Duration(pairs[len(pairs)-1][0]) * time.Microsecond
}

// Rows are all pairs: first where the credential is judged, first those that
// failed, the earliest first.
func (s *State) Rows() []*Row {
	rows := slices.Clone(s.rows)
	slices.SortStableFunc(rows, func(a, b *Row) int {
		return cmp.Or(
			cmp.Compare(s.away(a), s.away(b)),
			-cmp.Compare(min(a.AuthFailures, 1), min(b.AuthFailures, 1)),
			cmp.Compare(a.First, b.First),
			cmp.Compare(a.order, b.order),
		)
	})
	return rows
}

// away is 0 for a judged row, 1 for what was seen elsewhere.
func (s *State) away(r *Row) int {
	if s.Judged(r) {
		return 0
	}
	return 1
}

// Judged says whether flatness is decided at a row.
func (s *State) Judged(r *Row) bool {
	return s.run.Limits.JudgedAt == "" || r.Source == s.run.Limits.JudgedAt
}

// Budget is how much of a row's error budget of the run is spent: 1 is all of it. An
// objective of 100 % has none: each failure is one too many. What was spent stays
// spent.
func (s *State) Budget(r *Row) float64 { return r.spent }

// Consumer is the party to look at of a row: who checks where users present the
// credential themselves, and who presents it to an authority.
func (s *State) Consumer(r *Row) string {
	if r.Source == history.FromLoad {
		return r.Validator
	}
	return r.Presenter
}
