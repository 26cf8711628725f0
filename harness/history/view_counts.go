package history

import (
	"cmp"
	"maps"
	"slices"
)

// Keys lists the cells in a fixed order. Nobody may change the list.
func (v *View) Keys() []CellKey {
	if len(v.keys) != len(v.Cells) {
		v.keys = slices.SortedFunc(maps.Keys(v.Cells), func(a, b CellKey) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Presenter, b.Presenter),
				cmp.Compare(a.Validator, b.Validator), cmp.Compare(a.Credential, b.Credential))
		})
	}
	return v.keys
}

// KeysAt are the keys of the cells of a validator, in their order.
func (v *View) KeysAt(validator string) []CellKey {
	if v.keysAt == nil || v.keysOf != len(v.Cells) {
		v.keysAt, v.keysOf = map[string][]CellKey{}, len(v.Cells)
		for _, key := range v.Keys() {
			v.keysAt[key.Validator] = append(v.keysAt[key.Validator], key)
		}
	}
	return v.keysAt[validator]
}

// AnswersIn is how many of a cell's attempts in [from, to) succeeded, and how many were refused.
func (v *View) AnswersIn(key CellKey, from, to Offset) (ok, refused int64) {
	buckets, lo, hi := v.within(key, from, to)
	if hi < lo {
		return 0, 0
	}
	if lo > 0 && buckets[lo-1].reaches(from) {
		b := buckets[lo-1]
		ok += b.until(min(to, b.At+b.Width)) - b.until(from)
	}
	for _, b := range buckets[lo:hi] {
		if b.reaches(to) {
			ok += b.until(to)
			continue
		}
		ok, refused = ok+b.OK, refused+b.AuthFailures
	}
	return ok, refused
}

// Sum adds up a cell's attempts in [from, to), as Buckets has them.
func (v *View) Sum(key CellKey, from, to Offset) Counts {
	total := Counts{Source: key.Source, Presenter: key.Presenter, Validator: key.Validator, Credential: key.Credential}
	for _, b := range v.Buckets(key, from, to) {
		total.Add(b.Counts)
	}
	return total
}

// Buckets are a cell's buckets that begin in [from, to) and, of wide ones, the parts that
// lie there. Buckets of one cell are recorded in the order of their beginnings.
func (v *View) Buckets(key CellKey, from, to Offset) []Bucket {
	buckets, lo, hi := v.within(key, from, to)
	if hi < lo {
		return nil
	}
	before, after := lo > 0 && buckets[lo-1].reaches(from), hi > lo && buckets[hi-1].reaches(to)
	if !before && !after {
		return buckets[lo:hi]
	}
	parts := make([]Bucket, 0, hi-lo+1)
	if before {
		parts = buckets[lo-1].part(parts, from, to)
	}
	if !after {
		return append(parts, buckets[lo:hi]...)
	}
	return buckets[hi-1].part(append(parts, buckets[lo:hi-1]...), from, to)
}

// within are a cell's buckets, of which those from one to before another begin in [from, to).
func (v *View) within(key CellKey, from, to Offset) (buckets []Bucket, lo, hi int) {
	buckets = v.Cells[key]
	lo, _ = slices.BinarySearchFunc(buckets, from, func(b Bucket, at Offset) int { return cmp.Compare(b.At, at) })
	hi, _ = slices.BinarySearchFunc(buckets, to, func(b Bucket, at Offset) int { return cmp.Compare(b.At, at) })
	return buckets, lo, hi
}

// Answered counts the attempts that got an answer: one without is counted when it was
// given up, and may have been made long before.
func (c *Counts) Answered() int64 { return c.OK + c.AuthFailures }

// Add adds the figures of o: counts, statuses, sessions, the outermost
// failures. Latencies and examples are appended.
func (c *Counts) Add(o *Counts) {
	c.Attempts += o.Attempts
	c.OK += o.OK
	c.AuthFailures += o.AuthFailures
	c.Unavailable += o.Unavailable
	c.HarnessErrors += o.HarnessErrors
	c.Retries += o.Retries
	c.RetriesOK += o.RetriesOK
	for s, n := range o.Statuses {
		if c.Statuses == nil {
			c.Statuses = map[string]int64{}
		}
		c.Statuses[s] += n
	}
	for s, n := range o.FailedSessions {
		if c.FailedSessions == nil {
			c.FailedSessions = map[string]int64{}
		}
		c.FailedSessions[s] += n
	}
	if o.AuthFailures > 0 {
		if c.FirstFailure == 0 || o.FirstFailure < c.FirstFailure {
			c.FirstFailure = o.FirstFailure
		}
		c.LastFailure = max(c.LastFailure, o.LastFailure)
	}
	c.Latency = append(c.Latency, o.Latency...)
	c.Examples = append(c.Examples, o.Examples...)
}
