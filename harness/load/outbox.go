package load

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// outbox numbers batches and holds them until their receipt is known. It grows
// by cells and buckets while nobody drains it, not by requests.
type outbox struct {
	mu       sync.Mutex
	batches  []Batch
	seq      int64
	recorded int64 // attempts in all batches
	last     history.Totals
	changed  chan struct{} // closed and replaced when a batch is added
	// beats says that batches that say nothing new are put out too: others wait for
	// what this shard has counted, if it is nothing.
	beats bool
}

func newOutbox() *outbox { return &outbox{changed: make(chan struct{})} }

// add appends a batch, after giving it its number and the count of attempts
// recorded so far. A batch that says nothing new is left out, unless it is waited for.
func (o *outbox) add(b Batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range b.Counts {
		o.recorded += c.Attempts + c.Retries
	}
	b.Totals.Recorded = o.recorded
	if len(b.Counts)+len(b.Sessions)+len(b.Strains)+len(b.Behind) == 0 && b.Totals == o.last && !b.Final && !o.beats {
		return
	}
	o.seq++
	b.Seq, o.last = o.seq, b.Totals
	o.batches = append(o.batches, b)
	close(o.changed)
	o.changed = make(chan struct{})
}

// forget drops the batches up to a number: they were received.
func (o *outbox) forget(upTo int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if upTo > o.seq {
		return fmt.Errorf("forget batches up to %d: the last one made is %d", upTo, o.seq)
	}
	n := 0
	for n < len(o.batches) && o.batches[n].Seq <= upTo {
		n++
	}
	// Copied, so that what was received is not kept alive by the array below.
	o.batches = slices.Clone(o.batches[n:])
	return nil
}

// after returns the batches after a number, and a channel that is closed when
// there are more.
func (o *outbox) after(seq int64) ([]Batch, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.batches) && o.batches[n].Seq <= seq {
		n++
	}
	return slices.Clone(o.batches[n:]), o.changed
}

// totals are those of the last batch.
func (o *outbox) totals() history.Totals {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}
