package load

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// merger makes one stream of those of several shards: what it delivers is what one
// service would have counted. Counts and latencies are added up as they were counted,
// bucket by bucket, and never a figure that was made of them. A bucket is delivered
// when each shard has said that it counts nothing more in it, so that all come in order.
//
//	shard 1   ──b1──b2──b3──►            until 300 ms
//	shard 2   ──b1──────────►            until 100 ms
//	merged    ──b1──►                    b2 and b3 wait for shard 2
type merger struct {
	deliver func(Batch) error

	mu     sync.Mutex
	shards []merging
	counts map[bucketKey]*Counts
	rest   Batch // sessions, strains and stretches behind, until they are due
	seq    int64
}

// merging is what a shard has said so far.
type merging struct {
	until  int64 // nothing is missing before it; endless once the shard has ended, or is lost
	totals history.Totals
}

// bucketKey is one bucket of one cell.
type bucketKey struct {
	at                     int64
	client, to, credential string
}

func newMerger(shards int, deliver func(Batch) error) *merger {
	return &merger{deliver: deliver, shards: make([]merging, shards), counts: map[bucketKey]*Counts{}}
}

// add takes a batch of a shard, and delivers what nobody can add to any more.
func (m *merger) add(shard int, b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range b.Counts {
		key := bucketKey{c.At, c.Client, c.To, c.Credential}
		if there := m.counts[key]; there != nil {
			there.add(c)
		} else {
			m.counts[key] = &c
		}
	}
	m.rest.Sessions = append(m.rest.Sessions, b.Sessions...)
	m.rest.Strains = append(m.rest.Strains, b.Strains...)
	for _, late := range b.Behind {
		m.rest.Behind = joinBehind(m.rest.Behind, late)
	}
	s := &m.shards[shard]
	s.until, s.totals = max(s.until, b.Until), b.Totals
	if b.Final {
		s.until = math.MaxInt64
	}
	return m.flush()
}

// lose says that no more comes of a shard, and returns the moment until which nothing
// of it is missing; 0: it has sent nothing.
func (m *merger) lose(shard int) (until int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until = m.shards[shard].until
	m.shards[shard].until = math.MaxInt64
	return until, m.flush()
}

// flush delivers what is due; m.mu is held.
func (m *merger) flush() error {
	until := slices.MinFunc(m.shards, func(a, b merging) int { return cmp.Compare(a.until, b.until) }).until
	b := Batch{Until: until, Final: until == math.MaxInt64}
	for key, c := range m.counts {
		if key.at < until {
			b.Counts = append(b.Counts, *c)
			delete(m.counts, key)
		}
	}
	slices.SortFunc(b.Counts, func(a, b Counts) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Client, b.Client), cmp.Compare(a.To, b.To), cmp.Compare(a.Credential, b.Credential))
	})
	b.Sessions, m.rest.Sessions = due(m.rest.Sessions, until, func(s Session) int64 { return s.At })
	b.Strains, m.rest.Strains = due(m.rest.Strains, until, func(s Strain) int64 { return s.Until })
	// Others may have been behind at the same time, and say so at their next look.
	b.Behind, m.rest.Behind = due(m.rest.Behind, until, func(s Behind) int64 { return s.Until + (2 * lookAtPace).Microseconds() })
	for _, s := range m.shards {
		b.Totals = sumOf(b.Totals, s.totals)
	}
	if len(b.Counts)+len(b.Sessions)+len(b.Strains)+len(b.Behind) == 0 && !b.Final {
		return nil
	}
	m.seq++
	b.Seq = m.seq
	return m.deliver(b)
}

// due splits what was before a moment, in order, from what comes later.
func due[T any](all []T, until int64, at func(T) int64) (before, later []T) {
	for _, one := range all {
		if at(one) < until || until == math.MaxInt64 {
			before = append(before, one)
		} else {
			later = append(later, one)
		}
	}
	slices.SortStableFunc(before, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return before, later
}

// add adds what another shard counted in the same bucket of the same cell.
func (c *Counts) add(o Counts) {
	c.Attempts, c.OK = c.Attempts+o.Attempts, c.OK+o.OK
	c.AuthFailures, c.Unavailable, c.HarnessErrors = c.AuthFailures+o.AuthFailures, c.Unavailable+o.Unavailable, c.HarnessErrors+o.HarnessErrors
	c.Retries, c.RetriesOK = c.Retries+o.Retries, c.RetriesOK+o.RetriesOK
	c.LongestLife = max(c.LongestLife, o.LongestLife)
	c.Statuses, c.FailedSessions = summed(c.Statuses, o.Statuses), summed(c.FailedSessions, o.FailedSessions)
	if c.FirstFailure == 0 || o.FirstFailure != 0 && o.FirstFailure < c.FirstFailure {
		c.FirstFailure = o.FirstFailure
	}
	c.LastFailure = max(c.LastFailure, o.LastFailure)
	c.Latency = history.MergeLatency(c.Latency, o.Latency)
	c.Examples = slices.SortedFunc(slices.Values(slices.Concat(c.Examples, o.Examples)), func(a, b Example) int { return cmp.Compare(a.At, b.At) })
	c.Examples = c.Examples[:min(len(c.Examples), examplesPerBucket)]
}

// summed adds the counts of two, and changes neither.
func summed(a, b map[string]int64) map[string]int64 {
	if len(b) == 0 {
		return a
	}
	sum := maps.Clone(a)
	if sum == nil {
		sum = map[string]int64{}
	}
	for name, n := range b {
		sum[name] += n
	}
	return sum
}

// sumOf are the totals of two shards.
func sumOf(a, b history.Totals) history.Totals {
	return history.Totals{
		Scheduled: a.Scheduled + b.Scheduled, Sent: a.Sent + b.Sent, Recorded: a.Recorded + b.Recorded,
		NotSent: a.NotSent + b.NotSent, Behind: a.Behind + b.Behind, Retried: a.Retried + b.Retried, Unanswered: a.Unanswered + b.Unanswered,
	}
}

// joinBehind adds a stretch to those of other shards of the same client at the same
// time, so that how long a client was behind is not counted once for each shard.
func joinBehind(all []Behind, late Behind) []Behind {
	for i := range all {
		s := &all[i]
		if s.Client == late.Client && s.From < late.Until && late.From < s.Until {
			s.From, s.Until = min(s.From, late.From), max(s.Until, late.Until)
			s.Due, s.Sent, s.Full = s.Due+late.Due, s.Sent+late.Sent, s.Full || late.Full
			return all
		}
	}
	return append(all, late)
}
