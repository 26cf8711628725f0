package simulated

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// bucket is the width of a time bucket, as the load service has it.
	bucket = history.Offset(100 * time.Millisecond)
	// late is how long after its end a bucket of what an authority decided is
	// recorded: its log may be behind.
	late = history.Offset(200 * time.Millisecond)
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
	more    int64 // attempts that were made with it, at the same moment and alike
}

// attempts are how many it stands for.
func (d decision) attempts() int64 { return 1 + d.more }

// cells are what is counted, in the order in which they were first seen.
type cells struct {
	byKey map[history.CellKey]*cell
	order []*cell
}

type cell struct {
	key      history.CellKey
	index    history.Offset // of the present bucket: its beginning / bucket
	counts   *history.Counts
	past     []history.Event // buckets that are not recorded yet
	examples int
}

// count adds a decision to its cell, and to the totals where it was made at the
// hop that is judged.
func (w *World) count(key history.CellKey, d decision) {
	c := w.cells.cell(key)
	if index := w.now() / bucket; c.counts == nil || index != c.index {
		w.close(c)
		c.index = index
		c.counts = &history.Counts{
			Source: key.Source, Presenter: key.Presenter, Validator: key.Validator, Credential: key.Credential, Width: bucket,
		}
	}
	if key.Source == w.limits.Hop {
		w.total(d)
	}
	c.add(w.now(), d)
}

// total counts one attempt that was put on the wire.
func (w *World) total(d decision) {
	n := d.attempts()
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
	made := &cell{key: key}
	c.byKey[key] = made
	c.order = append(c.order, made)
	return made
}

func (c *cell) add(at history.Offset, d decision) {
	n := c.counts
	times := d.attempts()
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
	case history.AuthFailure:
		c.authFailure(at, d)
	}
}

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

// close ends the present bucket of a cell, if there is one.
func (w *World) close(c *cell) {
	if c.counts == nil {
		return
	}
	c.past = append(c.past, history.Event{At: c.index * bucket, Kind: history.KindCounts, Counts: c.counts})
	c.counts = nil
}

// flush records the buckets that are past, and with all the present ones too.
func (w *World) flush(all bool) {
	for _, c := range w.cells.order {
		if all || c.index < w.now()/bucket {
			w.close(c)
		}
		due := w.now()
		if c.key.Source != history.FromLoad {
			due -= late
		}
		for len(c.past) > 0 && (all || c.past[0].At+bucket <= due) {
			w.recorder.Record(c.past[0])
			c.past = c.past[1:]
		}
	}
	for _, c := range w.clients {
		c.tellHeld(all)
	}
}
