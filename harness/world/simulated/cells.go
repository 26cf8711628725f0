package simulated

import (
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// bucket is the width of a time bucket, as the load service has it.
	bucket = history.Offset(100 * time.Millisecond)
	// late is how long after its end an authority's bucket is recorded: its log may lag.
	late = history.Offset(200 * time.Millisecond)
	// widest is the largest gap between attempts in one wide bucket: a longer silence of a client must
	// stay visible.
	widest = history.Offset(time.Second)
	// Examples of failures that are kept, as the load service does.
	examplesPerBucket = 3
	examplesPerCell   = 10
)

// decision is one attempt, decided.
type decision struct {
	session *session
	outcome history.Outcome
	status  string
	retry   bool
	more    int64 // more attempts at the same moment, with the same result
}

// attempts is how many attempts it stands for.
func (d decision) attempts() int64 { return 1 + d.more }

// cells are the counted cells. Those with something to record are in the order in which they first had that.
type cells struct {
	byKey map[history.CellKey]*cell
	open  []*cell
}

type cell struct {
	cells    *cells
	key      history.CellKey
	isOpen   bool
	index    history.Offset // of the present bucket: its beginning / bucket
	counts   *history.Counts
	past     []history.Bucket // that are not recorded yet
	examples int
	together stretch // requests of several clients between the same two moments
}

// stretch is a series of equal attempts at equal intervals.
type stretch struct {
	first, end history.Offset // of the first attempt, and when one more would come
	n          int64
	decision
}

// count adds a decision to its cell, and to the totals where it is
// judged.
func (w *World) count(key history.CellKey, d decision) {
	w.settleFor(key.Presenter)
	w.countAt(w.cells.cell(key), w.now(), d)
}

// countAt is count at a moment no earlier than the cell's last.
func (w *World) countAt(c *cell, at history.Offset, d decision) {
	if c.key.Source == w.limits.JudgedAt {
		w.total(d, 1)
	}
	c.open(at / bucket)
	c.add(at, d, 1)
}

// countStretch counts a stretch. The whole buckets in it become one wide bucket, as a folded history
// has them, so that its cost does not grow with time.
func (w *World) countStretch(c *cell, s stretch) {
	if s.n == 0 {
		return
	}
	if c.key.Source == w.limits.JudgedAt {
		w.total(s.decision, s.n)
	}
	every := (s.end - s.first) / history.Offset(s.n)
	until := func(at history.Offset) int64 { // how many came before
		part := float64(at-s.first) / float64(s.end-s.first)
		return min(s.n, max(0, int64(math.Ceil(part*float64(s.n)))))
	}
	// The time of the last of several clients' attempts is unknown, but not later than now.
	last := min(s.first+history.Offset(s.n-1)*every, max(s.first, w.now()))
	from, to := s.first/bucket, last/bucket
	fine := w.options.Fine || s.outcome != history.OK
	switch {
	case every > widest || fine && every > bucket:
		for i := range s.n {
			at := min(s.first+history.Offset(i)*every, last)
			c.open(at / bucket)
			c.add(at, s.decision, 1)
		}
		return
	case fine:
		for i := from; i <= to; i++ {
			n := until((i+1)*bucket) - until(i*bucket)
			if i == to {
				n = s.n - until(i*bucket)
			}
			if n > 0 {
				c.open(i)
				c.add(i*bucket, s.decision, n)
			}
		}
		return
	}
	begins := int64(0)
	if c.counts != nil && c.index == from && from < to {
		begins = until((from + 1) * bucket)
		c.open(from)
		c.add(s.first, s.decision, begins)
		from++
	}
	whole := until(to*bucket) - begins
	if whole > 0 {
		c.close()
		made := c.bucket((to - from) * bucket)
		addTo(made, s.decision, whole)
		c.past = append(c.past, history.Bucket{At: from * bucket, Counts: made})
		c.opened()
	}
	if rest := s.n - begins - whole; rest > 0 {
		c.open(to)
		c.add(to*bucket, s.decision, rest)
	}
}

// bucket makes an empty bucket.
func (c *cell) bucket(width history.Offset) *history.Counts {
	return &history.Counts{Source: c.key.Source, Presenter: c.key.Presenter, Validator: c.key.Validator, Credential: c.key.Credential, Width: width}
}

// open makes a bucket the current one.
func (c *cell) open(index history.Offset) {
	if c.counts != nil && c.index == index {
		return
	}
	c.close()
	c.index, c.counts = index, c.bucket(bucket)
	c.opened()
}

// opened notes that it has something to record.
func (c *cell) opened() {
	if !c.isOpen {
		c.isOpen = true
		c.cells.open = append(c.cells.open, c)
	}
}

// total adds equal decisions to the totals.
func (w *World) total(d decision, times int64) {
	n := times * d.attempts()
	w.totals.Sent += n
	w.totals.Recorded += n
	if d.retry {
		w.totals.Retried += n
	}
	if d.outcome == history.Unavailable && d.status != serverError {
		w.totals.Unanswered += n
	} else {
		w.totals.Served += n
	}
}

func (c *cells) cell(key history.CellKey) *cell {
	if found := c.byKey[key]; found != nil {
		return found
	}
	if c.byKey == nil {
		c.byKey = map[history.CellKey]*cell{}
	}
	made := &cell{cells: c, key: key}
	c.byKey[key] = made
	return made
}

// add adds equal decisions to the current bucket.
func (c *cell) add(at history.Offset, d decision, times int64) {
	addTo(c.counts, d, times)
	if d.outcome == history.AuthFailure && !d.retry {
		c.authFailure(at, d)
	}
}

func addTo(n *history.Counts, d decision, times int64) {
	times *= d.attempts()
	if d.retry {
		n.Retries += times
		if d.outcome == history.OK {
			n.RetriesOK += times
		}
		return
	}
	n.Attempts += times
	if n.Statuses == nil {
		n.Statuses = map[string]int64{}
		n.Latency = [][2]int64{{latency, 0}}
	}
	n.Statuses[d.status] += times
	n.Latency[0][1] += times
	switch d.outcome {
	case history.OK:
		n.OK += times
	case history.Unavailable:
		n.Unavailable += times
	}
}

// authFailure counts one attempt that was refused.
func (c *cell) authFailure(at history.Offset, d decision) {
	n := c.counts
	n.AuthFailures += d.attempts()
	if n.FailedSessions == nil {
		n.FirstFailure, n.FailedSessions = at, map[string]int64{}
	}
	n.LastFailure = at
	n.FailedSessions[d.session.name] += d.attempts()
	if c.examples < examplesPerCell && len(n.Examples) < examplesPerBucket {
		c.examples++
		n.Examples = append(n.Examples, history.Example{
			At: at, Session: d.session.name, Status: d.status, IssuedAt: d.session.issued,
		})
	}
}

// close ends the current bucket, if there is one.
func (c *cell) close() {
	if c.counts == nil {
		return
	}
	c.past = append(c.past, history.Bucket{At: c.index * bucket, Counts: c.counts})
	c.counts = nil
}

// flush records the finished buckets; with all, the current ones too.
func (w *World) flush(all bool) {
	now := w.now()
	left := w.cells.open[:0]
	for _, c := range w.cells.open {
		if all || c.index < now/bucket {
			c.close()
		}
		due := now
		if c.key.Source != history.FromLoad {
			due -= late
		}
		n := 0
		for n < len(c.past) && (all || c.past[n].At+c.past[n].Width <= due) {
			w.recorder.Record(history.Event{At: c.past[n].At, Kind: history.KindCounts, Counts: c.past[n].Counts})
			n++
		}
		c.past = slices.Delete(c.past, 0, n)
		if c.isOpen = c.counts != nil || len(c.past) > 0; c.isOpen {
			left = append(left, c)
		}
	}
	clear(w.cells.open[len(left):])
	w.cells.open = left
	for _, c := range w.clients {
		c.tellHeld(all)
	}
}
