package load

import (
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Limits of the examples that a cell keeps.
const (
	examplesPerBucket = 3
	examplesPerCell   = 10
)

// clock tells the time in microseconds since the Unix epoch. It follows the
// monotonic clock from the moment it was made, so that a wall clock that is set
// cannot put decisions into buckets that were delivered already.
type clock struct{ base time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() int64 { return c.base.UnixMicro() + time.Since(c.base).Microseconds() }

// decision is one attempt, decided.
type decision struct {
	retry    bool // an attempt after the first
	outcome  history.Outcome
	status   status
	latency  time.Duration // on the wire; counted for first attempts
	session  string
	issuedAt int64 // of the presented token, microseconds since the Unix epoch
	life     int64 // of that token, microseconds; 0: it does not tell
	detail   string
}

// cells are what is counted: one cell for each client and kid.
type cells struct {
	clock clock
	width int64 // of a bucket, microseconds

	mu    sync.Mutex
	byKey map[cellKey]*cell
	order []*cell
}

type cellKey struct{ client, kid string }

func newCells(c clock, width time.Duration) *cells {
	return &cells{clock: c, width: width.Microseconds(), byKey: map[cellKey]*cell{}}
}

// cell finds or makes a cell. Tokens remember theirs, so that no request looks for it.
func (c *cells) cell(client, to, kid string) *cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cellKey{client, kid}
	if found := c.byKey[key]; found != nil {
		return found
	}
	made := &cell{clock: c.clock, width: c.width, client: client, to: to, kid: kid}
	c.byKey[key] = made
	c.order = append(c.order, made)
	return made
}

// take hands over the counts of all buckets that are past, and with all of the
// present one too. The buckets of one cell come in order.
func (c *cells) take(all bool) []Counts {
	c.mu.Lock()
	order := slices.Clone(c.order)
	c.mu.Unlock()
	var taken []Counts
	for _, cell := range order {
		taken = append(taken, cell.take(all)...)
	}
	return taken
}

// begun is when the present bucket began: what is decided from now on is in that, or in
// a later one.
func (c *cells) begun() int64 { return c.clock.now() / c.width * c.width }

// cell counts decisions of one presenter, validator and credential. The moment
// of a decision is taken under the lock, so that buckets close in order and a
// bucket that was taken gets no more.
type cell struct {
	clock           clock
	width           int64
	client, to, kid string

	mu       sync.Mutex
	present  bucket
	past     []Counts
	examples int
}

// bucket is the one being counted; its memory is used again for the next.
type bucket struct {
	index  int64 // beginning / width
	counts Counts
	byCode []codeCount
	micros history.Latencies
}

type codeCount struct {
	status status
	count  int64
}

func (c *cell) record(d decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.clock.now()
	if index := at / c.width; index != c.present.index {
		c.close()
		c.present.index = index
	}
	b := &c.present
	if d.retry {
		b.counts.Retries++
		if d.outcome == history.OK {
			b.counts.RetriesOK++
		}
		return
	}
	b.counts.Attempts++
	b.counts.LongestLife = max(b.counts.LongestLife, d.life)
	b.count(d.status)
	b.micros.Add(d.latency.Microseconds())
	switch d.outcome {
	case history.OK:
		b.counts.OK++
	case history.Unavailable:
		b.counts.Unavailable++
	case history.HarnessError:
		b.counts.HarnessErrors++
	case history.AuthFailure:
		c.authFailure(at, d)
	}
}

func (c *cell) authFailure(at int64, d decision) {
	counts := &c.present.counts
	counts.AuthFailures++
	if counts.FirstFailure == 0 {
		counts.FirstFailure = at
	}
	counts.LastFailure = at
	if counts.FailedSessions == nil {
		counts.FailedSessions = map[string]int64{}
	}
	counts.FailedSessions[d.session]++
	if c.examples < examplesPerCell && len(counts.Examples) < examplesPerBucket {
		c.examples++
		counts.Examples = append(counts.Examples, Example{
			At: at, Session: d.session, Status: d.status.String(), IssuedAt: d.issuedAt, Detail: d.detail,
		})
	}
}

func (b *bucket) count(s status) {
	for i := range b.byCode {
		if b.byCode[i].status == s {
			b.byCode[i].count++
			return
		}
	}
	b.byCode = append(b.byCode, codeCount{s, 1})
}

// close puts the present bucket with the past ones, if anything was counted.
func (c *cell) close() {
	b := &c.present
	if b.counts.Attempts+b.counts.Retries == 0 {
		return
	}
	counts := b.counts
	counts.At, counts.Width = b.index*c.width, c.width
	counts.Client, counts.To, counts.Credential = c.client, c.to, c.kid
	counts.Latency = b.micros.Pairs()
	if len(b.byCode) > 0 {
		counts.Statuses = make(map[string]int64, len(b.byCode))
		for _, s := range b.byCode {
			counts.Statuses[s.status.String()] = s.count
		}
	}
	c.past = append(c.past, counts)
	b.counts = Counts{}
	b.byCode = b.byCode[:0]
	b.micros.Reset()
}

func (c *cell) take(all bool) []Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	if all || c.present.index < c.clock.now()/c.width {
		c.close()
	}
	taken := c.past
	c.past = nil
	return taken
}
