package simulated

import (
	"container/heap"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// agenda is what is due, in order of time; what is due at the same time comes
// in the order in which it was put in, so that a run can be repeated.
type agenda struct {
	items entries
	count int // of all entries so far
}

type entry struct {
	at    history.Offset
	order int
	do    func()
}

// add puts in what is to be done at an offset, in whole microseconds as a
// recorder keeps it.
func (a *agenda) add(at history.Offset, do func()) {
	a.count++
	heap.Push(&a.items, entry{at - at%history.Offset(time.Microsecond), a.count, do})
}

// next takes out the earliest entry that is due by an offset.
func (a *agenda) next(by history.Offset) (entry, bool) {
	if len(a.items) == 0 || a.items[0].at > by {
		return entry{}, false
	}
	return heap.Pop(&a.items).(entry), true
}

// entries is a heap.Interface.
type entries []entry

// Len is how many there are.
func (e entries) Len() int { return len(e) }

// Swap exchanges two.
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Less puts the earlier one first, and of two at the same time the one that was
// entered first.
func (e entries) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].order < e[j].order
}

// Push adds one at the end.
func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }

// Pop takes the last one off.
func (e *entries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
