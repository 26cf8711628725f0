package history

import (
	"cmp"
	"iter"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// A history of a day has tens of millions of buckets of a tenth of a second, and
// most of them say the same: that nothing happened. What is long past and quiet is
// folded into wider buckets; what is near to anything that happened stays as it
// was counted. A run and whoever reads its file fold alike, so that both judge the
// same; runs of minutes are never folded.
//
//	·····F·····················S·····      F a failure, S a step
//	├───fine────┤              ├fine──
//	            ├──wide────────┤

// foldLimits says when a history is folded, and into what.
type foldLimits struct {
	// Every is after how many more buckets it is folded anew, at least.
	every int
	// Keep is how long buckets stay as they are, whatever they tell: the rotation
	// looks back at them.
	keep Offset
	// Near is how far from anything that happened they stay so for good.
	near Offset
	// Grain is what is folded into one, and Gap how far apart two buckets of a cell
	// may lie in it: that a client was silent for longer stays to be seen.
	grain, gap Offset
}

// longRuns is how histories are folded.
var longRuns = foldLimits{
	every: 20_000,
	keep:  Offset(10 * time.Minute), near: Offset(2 * time.Minute),
	grain: Offset(time.Minute), gap: Offset(time.Second),
}

// routine are the kinds of events that come all the time, when nothing happens.
var routine = map[Kind]bool{
	KindCounts: true, KindFetched: true, KindLoaded: true, KindRead: true, KindLooked: true, KindLived: true,
}

// happened is when an event that is no routine was under way; false: it is one.
func happened(e *Event) (from, to Offset, did bool) {
	switch {
	case e.Kind == KindCounts:
		return e.At, e.At + e.Counts.Width, !e.Counts.quiet()
	case e.Kind == KindProbe && e.Probe != nil && e.Probe.Purpose == OldAfter:
		return e.At, e.At, false // the proof goes on throughout the watch
	case e.Kind == KindMachine && e.Machine != nil:
		return e.Machine.From, e.At, e.Machine.What != MachinePressure
	case e.Began > 0:
		return min(e.Began, e.At), e.At, !routine[e.Kind]
	}
	return e.At, e.At, !routine[e.Kind]
}

// Routine reports whether an event is one of those that come all the time, when nothing
// happens.
func (e *Event) Routine() bool {
	_, _, did := happened(e)
	return !did
}

// quiet reports whether all that a bucket counts went well.
func (c *Counts) quiet() bool {
	return c.Attempts == c.OK && c.AuthFailures == 0 && c.Unavailable == 0 && c.HarnessErrors == 0 && c.Retries == 0 && len(c.Examples) == 0
}

// span is a stretch of time.
type span struct{ from, to Offset }

// busy are the stretches in which a history is to stay as it is, in order, none
// touching another.
func (f foldLimits) busy(events []Event) []span {
	var all []span
	for i := range events {
		all = f.noted(all, &events[i])
	}
	return joined(all)
}

// noted are stretches with that of one more event.
func (f foldLimits) noted(all []span, e *Event) []span {
	from, to, did := happened(e)
	if !did {
		return all
	}
	s := span{from - f.near, to + f.near}
	if n := len(all); n > 0 && all[n-1].from <= s.to && s.from <= all[n-1].to {
		all[n-1] = span{min(all[n-1].from, s.from), max(all[n-1].to, s.to)}
		return all
	}
	return append(all, s)
}

// joined are stretches in order, none touching another.
func joined(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	kept := all[:0]
	for _, s := range all {
		if n := len(kept); n > 0 && s.from <= kept[n-1].to {
			kept[n-1].to = max(kept[n-1].to, s.to)
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// within reports whether a stretch touches one of some.
func within(busy []span, from, to Offset) bool {
	i, _ := slices.BinarySearchFunc(busy, from, func(s span, at Offset) int { return cmp.Compare(s.to, at) })
	return i < len(busy) && busy[i].from <= to
}

// foldedBucket is a bucket that others were folded into.
type foldedBucket struct {
	slot   Offset // which grain of time it is of
	at     Offset
	counts *Counts // a copy: whoever was told of the first one has that
}

// fold folds what is before a moment. The order of what stays is kept; what is
// folded stands where its first bucket stood.
func (f foldLimits) fold(events []Event, before Offset) []Event {
	busy := f.busy(events)
	open := map[CellKey]*foldedBucket{}
	kept := make([]Event, 0, len(events)/2) // the place of those that are gone is to be collected
	for _, e := range events {
		if e.Kind != KindCounts {
			kept = append(kept, e)
			continue
		}
		counts, folded := f.into(open, e.At, e.Counts, before, busy)
		if !folded {
			e.Counts = counts
			kept = append(kept, e)
		}
	}
	return kept
}

// buckets does the same with the buckets of a cell.
func (f foldLimits) buckets(all []Bucket, before Offset, busy []span) []Bucket {
	open := map[CellKey]*foldedBucket{}
	kept := all[:0:0] // others may look at the ones that there were
	for _, b := range all {
		counts, folded := f.into(open, b.At, b.Counts, before, busy)
		if !folded {
			kept = append(kept, Bucket{b.At, counts})
		}
	}
	return kept
}

// into folds a bucket into an open one of its cell. Where there is none, or it
// must stay as it is, it is returned itself, as a copy if others may come into it.
func (f foldLimits) into(open map[CellKey]*foldedBucket, at Offset, c *Counts, before Offset, busy []span) (stays *Counts, folded bool) {
	key := CellKey{c.Source, c.Presenter, c.Validator, c.Credential}
	end := at + c.Width
	if end > before || !c.quiet() || within(busy, at, end) {
		delete(open, key)
		return c, false
	}
	slot := at / f.grain
	w := open[key]
	if w != nil && w.slot == slot && at >= w.at && at-(w.at+w.counts.Width) <= f.gap {
		w.counts.Width = max(w.counts.Width, end-w.at)
		w.counts.LongestLife = max(w.counts.LongestLife, c.LongestLife)
		w.counts.Latency = MergeLatency(w.counts.Latency, c.Latency)
		rest := *c
		rest.Latency = nil
		w.counts.Add(&rest)
		return nil, true
	}
	copied := *c
	copied.Statuses, copied.Latency = maps.Clone(c.Statuses), slices.Clone(c.Latency)
	open[key] = &foldedBucket{slot, at, &copied}
	return &copied, false
}

const (
	// slice is how long the parts are that a wide bucket is drawn in; a bucket that is
	// no longer is told as one moment.
	slice = Offset(time.Second)
	// mostSlices is how many those are at most.
	mostSlices = 128
)

// wide reports whether a bucket tells of a quiet stretch that can be divided: its
// attempts came evenly over it.
func (c *Counts) wide() bool { return c.Width > slice && c.quiet() }

// reaches reports whether a wide bucket lies on both sides of a moment.
func (b Bucket) reaches(at Offset) bool { return b.At < at && b.At+b.Width > at && b.wide() }

// until is how many of a wide bucket's attempts came before a moment.
func (b Bucket) until(at Offset) int64 {
	passed := uint64(min(max(at-b.At, 0), b.Width))
	hi, lo := bits.Mul64(uint64(b.Attempts), passed)
	lo, carry := bits.Add64(lo, uint64(b.Width)-1, 0) // the first of them comes at once
	n, _ := bits.Div64(hi+carry, lo, uint64(b.Width))
	return int64(n)
}

// part appends the part of a wide bucket that lies in [from, to), where there is any
// attempt. What is told of all attempts together is in the first part, where it cannot be
// divided.
func (b Bucket) part(to []Bucket, from, until Offset) []Bucket {
	from, until = max(from, b.At), min(until, b.At+b.Width)
	n := b.until(until) - b.until(from)
	if n == 0 {
		return to
	}
	c := *b.Counts
	c.Width, c.Attempts, c.OK = until-from, n, n
	if c.Statuses = nil; len(b.Statuses) == 1 {
		for status := range b.Statuses {
			c.Statuses = map[string]int64{status: n}
		}
	} else if from == b.At {
		c.Statuses = b.Statuses
	}
	if c.Latency = nil; len(b.Latency) == 1 {
		c.Latency = [][2]int64{{b.Latency[0][0], n}}
	} else if from == b.At {
		c.Latency = b.Latency
	}
	return append(to, Bucket{from, &c})
}

// Slices are a bucket as a chart draws it: itself or, where it is wide, parts of a
// second, or more where those would be too many.
func (c *Counts) Slices(at Offset) iter.Seq2[Offset, *Counts] {
	return func(yield func(Offset, *Counts) bool) {
		if !c.wide() {
			yield(at, c)
			return
		}
		var parts []Bucket
		length := max(slice, (c.Width+mostSlices-1)/mostSlices)
		for from := at; from < at+c.Width; from += length {
			parts = Bucket{at, c}.part(parts, from, from+length)
		}
		for _, part := range parts {
			if !yield(part.At, part.Counts) {
				return
			}
		}
	}
}

// MergeLatency is two histograms in one, by value, as Counts.Latency has them. Both are
// in the order of values; neither is changed.
func MergeLatency(a, b [][2]int64) [][2]int64 {
	if len(b) == 0 {
		return a
	}
	out := make([][2]int64, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0][0] < b[0][0]:
			out, a = append(out, a[0]), a[1:]
		case a[0][0] > b[0][0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, [2]int64{a[0][0], a[0][1] + b[0][1]})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// growing is a history that comes in, and is folded as it grows.
type growing struct {
	foldLimits
	events []Event
	now    Offset
	counts int // how many of the events are buckets: nothing else is folded
	due    int // how many they may be before it is folded
}

// add adds an event.
func (g *growing) add(e Event) {
	if len(g.events) == cap(g.events) {
		g.events = slices.Grow(g.events, len(g.events)+1) // they are large: to copy them is what costs
	}
	g.events = append(g.events, e)
	g.now = max(g.now, e.At)
	if e.Kind != KindCounts {
		return
	}
	if g.due == 0 {
		g.due = g.every
	}
	if g.counts++; g.counts < g.due {
		return
	}
	before := len(g.events)
	g.events = g.fold(g.events, g.now-g.keep)
	g.counts -= before - len(g.events)
	g.due = g.next(g.counts)
}

// next is how long what is so long may become before it is folded again, so that it
// is not folded over and over.
func (f foldLimits) next(n int) int { return n + max(f.every, n/2) }

// livingView is what a View that is applied to as a run goes on knows of folding.
type livingView struct {
	foldLimits
	busy    []span
	buckets int
	due     int
}

// NewLivingView is a NewView of a run that may go on for days: what is long past and
// quiet is folded in it.
func NewLivingView() *View {
	v := NewView()
	v.living = &livingView{foldLimits: longRuns, due: longRuns.every}
	return v
}

// grow folds the cells of a view where they have grown by much.
func (l *livingView) grow(v *View, e *Event) {
	l.busy = l.noted(l.busy, e)
	if e.Kind != KindCounts {
		return
	}
	if l.buckets++; l.buckets < l.due {
		return
	}
	l.busy, l.buckets = joined(l.busy), 0
	for key, all := range v.Cells {
		v.Cells[key] = l.foldLimits.buckets(all, v.Now-l.keep, l.busy)
		l.buckets += len(v.Cells[key])
	}
	l.due = l.next(l.buckets)
}
