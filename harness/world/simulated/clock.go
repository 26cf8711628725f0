package simulated

import (
	"container/heap"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// clock is a virtual clock: time stands still while anybody has something to do,
// and goes on to what is due next when everybody waits. What the model does and
// those who wait stand in one queue, in order of time.
//
//	caller ──Sleep──► turn, turn, … until its time has come
//	                   │ the model does what is due
//	                   │ nothing is: a party that is ready goes on until it waits
//	                   │ none is: those are whose context has ended
//	                   └ none is: time goes on to the next entry
//
// A party that was started by Go is a coroutine: one of them runs at a time, in an
// order that follows from the queue alone, so that a run can be repeated. A clock
// belongs to one goroutine, that of its maker.
type clock struct {
	began   time.Time
	now     history.Offset
	queue   entries
	count   int // of all entries so far
	ready   []*party
	running *party   // nil: the caller itself
	idle    []*party // that have ended, and may be others
	// waiting are those who sleep, by the context that may end before their time comes, in
	// the order in which contexts were first slept under.
	waiting []*sleepers

	// before is called before a party goes on, and after when a pause is over.
	before, after func()
	changedAt     history.Offset // when anything last did
	paused        []pause
}

var (
	_ world.Clock   = (*clock)(nil)
	_ world.Patient = (*clock)(nil)
)

// pause is a sleep that ends early when something changes: at the next of moments that are a fixed
// interval apart.
type pause struct {
	s     *signal
	from  history.Offset
	least history.Offset
}

// patience is the part of the time without changes that a pause may take.
const patience = 100

// entry is what is due at a time.
type entry struct {
	at    history.Offset
	late  bool // the end of a sleep: it comes after everything that the model does at that time
	order int
	do    func()
}

// party runs beside the caller. When what it does has ended it can do something else: a new coroutine
// costs more than most of what parties do.
type party struct {
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	does   func()
	ended  *signal // of what it does
	idle   bool
}

// sleepers are those who sleep under a context.
type sleepers struct {
	ctx     context.Context
	signals []*signal // those that were given among them are dropped when there are many
	many    int
}

// signal wakes a party, or the caller.
type signal struct {
	given  bool
	waiter *party
}

func newClock(began time.Time) *clock {
	return &clock{began: began, before: func() {}, after: func() {}}
}

// Now is the virtual time.
func (c *clock) Now() time.Time { return c.began.Add(c.now.Duration()) }

// offset is the present offset in whole microseconds, as a recorder keeps it.
func (c *clock) offset() history.Offset { return c.now - c.now%history.Offset(time.Microsecond) }

// Sleep lets others go on until its time has come, or ctx ends.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	return c.sleep(ctx, &signal{}, history.Offset(d))
}

// Pause sleeps for least, or for longer where nothing has changed for long.
func (c *clock) Pause(ctx context.Context, least, most time.Duration) error {
	if err := ctx.Err(); err != nil || least <= 0 {
		return err
	}
	d := min(max(history.Offset(least), (c.now-c.changedAt)/patience), history.Offset(most))
	s := &signal{}
	if d > history.Offset(least) {
		c.paused = append(c.paused, pause{s, c.now, history.Offset(least)})
	}
	err := c.sleep(ctx, s, d)
	c.paused = slices.DeleteFunc(c.paused, func(p pause) bool { return p.s == s })
	c.after()
	return err
}

// changed ends the pauses under way.
func (c *clock) changed() {
	c.changedAt = c.now
	for _, p := range c.paused {
		c.push(entry{at: c.now + (p.least-(c.now-p.from)%p.least)%p.least, late: true, do: func() { c.give(p.s) }})
	}
	c.paused = c.paused[:0]
}

// sleep awaits a signal that is given after a time, or when ctx ends.
func (c *clock) sleep(ctx context.Context, s *signal, d history.Offset) error {
	c.push(entry{at: c.now + d, late: true, do: func() { c.give(s) }})
	if ctx.Done() != nil {
		c.sleepersUnder(ctx).add(s)
	}
	c.await(s)
	return ctx.Err()
}

// Go starts f as a party. It begins when its caller waits.
func (c *clock) Go(f func()) (wait func()) {
	var p *party
	if n := len(c.idle); n > 0 {
		p, c.idle = c.idle[n-1], c.idle[:n-1]
	} else {
		p = &party{}
		p.resume, p.stop = iter.Pull(func(yield func(struct{}) bool) {
			p.yield = yield
			for {
				p.does()
				p.does, p.idle = nil, true
				if !yield(struct{}{}) {
					return
				}
			}
		})
	}
	ended := &signal{}
	p.does, p.ended, p.idle = f, ended, false
	c.ready = append(c.ready, p)
	return func() { c.await(ended) }
}

// close ends the coroutines of parties that have ended.
func (c *clock) close() {
	for _, p := range c.idle {
		p.stop()
	}
	c.idle = nil
}

// at schedules a call at an offset, in whole microseconds. Calls at the same time come in the order of
// scheduling.
func (c *clock) at(offset history.Offset, do func()) {
	c.push(entry{at: offset - offset%history.Offset(time.Microsecond), do: do})
}

func (c *clock) push(e entry) {
	c.count++
	e.order = c.count
	heap.Push(&c.queue, e)
}

// await returns when a signal was given; others go on meanwhile.
func (c *clock) await(s *signal) {
	switch {
	case s.given:
	case c.running != nil:
		s.waiter = c.running
		s.waiter.yield(struct{}{})
	default:
		for !s.given {
			c.turn()
		}
	}
}

// give gives a signal, once: its waiter is ready.
func (c *clock) give(s *signal) {
	if s.given {
		return
	}
	s.given = true
	if s.waiter != nil {
		c.ready = append(c.ready, s.waiter)
	}
}

// turn has the model do what is due now, lets one party go on until it waits or ends
// or, where none is ready, lets time go on to what is due next.
func (c *clock) turn() {
	c.before()
	due := len(c.queue) > 0 && c.queue[0].at <= c.now && !c.queue[0].late
	switch {
	case due || len(c.ready) == 0 && !c.endedContexts():
		if len(c.queue) == 0 {
			panic("simulated world: everybody waits, and nothing is due")
		}
		e := heap.Pop(&c.queue).(entry)
		c.now = max(c.now, e.at)
		e.do()
	case len(c.ready) > 0:
		p := c.ready[0]
		c.ready = c.ready[1:]
		c.running = p
		p.resume()
		c.running = nil
		if p.idle {
			c.give(p.ended)
			c.idle = append(c.idle, p)
		}
	default: // the caller itself may go on
	}
}

// sleepersUnder are those who sleep under a context.
func (c *clock) sleepersUnder(ctx context.Context) *sleepers {
	for _, under := range c.waiting {
		if under.ctx == ctx {
			return under
		}
	}
	under := &sleepers{ctx: ctx}
	c.waiting = append(c.waiting, under)
	return under
}

// fewSleepers is how many are kept before those that are awake are dropped.
const fewSleepers = 64

// add adds one more.
func (u *sleepers) add(s *signal) {
	if len(u.signals) >= max(fewSleepers, u.many) {
		u.signals = slices.DeleteFunc(u.signals, func(s *signal) bool { return s.given })
		u.many = 2 * len(u.signals)
	}
	u.signals = append(u.signals, s)
}

// endedContexts wakes those whose context has ended, and reports whether there were any.
func (c *clock) endedContexts() (any bool) {
	c.waiting = slices.DeleteFunc(c.waiting, func(u *sleepers) bool {
		if u.ctx.Err() == nil {
			return false
		}
		for _, s := range u.signals {
			any = any || !s.given
			c.give(s)
		}
		return true
	})
	return any
}

// entries is a heap.Interface.
type entries []entry

// Len is how many there are.
func (e entries) Len() int { return len(e) }

// Swap exchanges two.
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Less puts the earlier one first; of two at the same time the model's before one
// that sleeps, and then the one that was put in first.
func (e entries) Less(i, j int) bool {
	switch a, b := e[i], e[j]; {
	case a.at != b.at:
		return a.at < b.at
	case a.late != b.late:
		return b.late
	default:
		return a.order < b.order
	}
}

// Push adds one at the end.
func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }

// Pop takes the last one off.
func (e *entries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = entry{} // what it holds can be freed
	*e = (*e)[:last]
	return x
}
