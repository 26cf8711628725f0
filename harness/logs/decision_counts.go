package logs

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// The buckets in which decisions of an authority are counted.
const (
	// bucket is their width: that of the load's own.
	bucket = history.Offset(100 * time.Millisecond)
	// late is how long after its end a bucket still takes lines.
	late = history.Offset(200 * time.Millisecond)
	// maxExamples is how many failures a cell keeps to be looked at.
	maxExamples = 10
)

// decisionCounts counts an authority's logged decisions in buckets. It is safe for concurrent use.
type decisionCounts struct {
	record func(history.Event)
	source history.Source // who tells of the decisions

	mu    sync.Mutex
	cells map[history.CellKey]*countedCell
	by    map[string]int64 // decisions, by presenter
}

// countedCell is a cell with its open buckets.
type countedCell struct {
	open     map[int64]*openBucket // by beginning / width
	next     int64                 // the first bucket that was not recorded yet
	examples int
}

// openBucket is a bucket that may still grow.
type openBucket struct {
	counts history.Counts
	micros history.Latencies
}

func newDecisionCounts(source history.Source, record func(history.Event)) *decisionCounts {
	return &decisionCounts{record: record, source: source, cells: map[history.CellKey]*countedCell{}, by: map[string]int64{}}
}

// decision is an authority's decision about one presentation.
type decision struct {
	at                               history.Offset
	presenter, validator, credential string
	outcome                          history.Outcome
	status, detail                   string
	micros                           int64 // that it took
	retry                            bool  // the same was refused before
}

// count counts a decision. One that is too late for its bucket counts in the next open one.
func (h *decisionCounts) count(d decision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := history.CellKey{Source: h.source, Presenter: d.presenter, Validator: d.validator, Credential: d.credential}
	cell := h.cells[key]
	if cell == nil {
		cell = &countedCell{open: map[int64]*openBucket{}}
		h.cells[key] = cell
	}
	h.by[d.presenter]++
	index := max(int64(d.at/bucket), cell.next)
	b := cell.open[index]
	if b == nil {
		b = &openBucket{counts: history.Counts{
			Source: key.Source, Presenter: key.Presenter, Validator: key.Validator, Credential: key.Credential,
			Width: bucket, Statuses: map[string]int64{},
		}}
		cell.open[index] = b
	}
	cell.add(b, d)
}

func (c *countedCell) add(b *openBucket, d decision) {
	counts := &b.counts
	if d.retry {
		counts.Retries++
		if d.outcome == history.OK {
			counts.RetriesOK++
		}
		return
	}
	counts.Attempts++
	counts.Statuses[d.status]++
	b.micros.Add(d.micros)
	switch d.outcome {
	case history.OK:
		counts.OK++
	case history.Unavailable:
		counts.Unavailable++
	case history.AuthFailure:
		counts.AuthFailures++
		if counts.FirstFailure == 0 {
			counts.FirstFailure = d.at
		}
		counts.LastFailure = max(counts.LastFailure, d.at)
		if c.examples < maxExamples {
			c.examples++
			counts.Examples = append(counts.Examples, history.Example{At: d.at, Status: d.status, Detail: d.detail})
		}
	}
}

// presented is how many of the decisions were about what somebody presented.
func (h *decisionCounts) presented(by string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by[by]
}

// attempts is how many decisions were counted.
func (h *decisionCounts) attempts() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var n int64
	for _, decisions := range h.by {
		n += decisions
	}
	return n
}

// flush records the buckets that ended before a moment, those of a cell in order.
func (h *decisionCounts) flush(before history.Offset) {
	h.mu.Lock()
	var events []history.Event
	for key, cell := range h.cells {
		for index, b := range cell.open {
			if history.Offset(index+1)*bucket > before {
				continue
			}
			delete(cell.open, index)
			cell.next = max(cell.next, index+1)
			counts := b.counts // a copy: the history keeps it, without the histogram
			counts.Latency = b.micros.Pairs()
			events = append(events, history.Event{
				At: history.Offset(index) * bucket, Kind: history.KindCounts, Credential: key.Credential, Counts: &counts,
			})
		}
	}
	h.mu.Unlock()
	slices.SortFunc(events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
	for _, e := range events {
		h.record(e)
	}
}
