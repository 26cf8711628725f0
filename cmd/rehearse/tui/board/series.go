package board

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// slots is how many stretches of time a series keeps: more than the widest
// terminal has columns.
const slots = 512

// Series counts attempts over the time of a run. When the run outgrows it, it
// halves its resolution: its memory is fixed.
type Series struct {
	width history.Offset // of a slot
	slots []Slot
}

// Slot is what was counted in one stretch of time.
type Slot struct {
	Attempts, AuthFailures, Unavailable int64
	New                                 int64 // attempts with the credential that the old one gives way to
}

func (s *Slot) add(o Slot) {
	s.Attempts += o.Attempts
	s.AuthFailures += o.AuthFailures
	s.Unavailable += o.Unavailable
	s.New += o.New
}

// add counts at an offset.
func (s *Series) add(at history.Offset, n Slot) {
	if s.width == 0 {
		s.width = history.Offset(100 * time.Millisecond) // counts come in such buckets
	}
	at = max(at, 0)
	for at/s.width >= slots {
		s.halve()
	}
	i := int(at / s.width)
	for len(s.slots) <= i {
		s.slots = append(s.slots, Slot{})
	}
	s.slots[i].add(n)
}

// halve makes one slot of two.
func (s *Series) halve() {
	half := make([]Slot, (len(s.slots)+1)/2)
	for i, n := range s.slots {
		half[i/2].add(n)
	}
	s.slots, s.width = half, 2*s.width
}

// Columns are those of all judged rows together, as of a Series.
func (s *State) Columns(from, to history.Offset, n int) []Slot {
	all := make([]Slot, max(n, 0))
	for _, r := range s.rows {
		if !s.Judged(r) {
			continue
		}
		for i, c := range r.Series.Columns(from, to, n) {
			all[i].add(c)
		}
	}
	return all
}

// Columns are n stretches of equal length from one offset to another. Where a
// slot is longer than a column, neighbours show the same.
func (s *Series) Columns(from, to history.Offset, n int) []Slot {
	columns := make([]Slot, max(n, 0))
	if s.width == 0 || to <= from {
		return columns
	}
	for i := range columns {
		lo := from + (to-from)*history.Offset(i)/history.Offset(n)
		hi := from + (to-from)*history.Offset(i+1)/history.Offset(n)
		first := int(lo / s.width)
		last := max(first+1, int((hi+s.width-1)/s.width))
		for j := max(first, 0); j < min(last, len(s.slots)); j++ {
			columns[i].add(s.slots[j])
		}
	}
	return columns
}
