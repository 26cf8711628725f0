package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// A Listener is told of every event. It may be slow or gone and changes
// nothing that is measured: each has a goroutine and a queue of its own, and
// where the queue overflows events are dropped and the listener is told how many.
type Listener interface {
	Event(Event)
	// Dropped says that n events were dropped before the next one, or at the end.
	Dropped(n int64)
}

// listenerQueue is how many events may wait for a slow listener.
const listenerQueue = 4096

// Recorder appends events to a history, writes them to a file as they come,
// keeps the View, and tells listeners. In a run of hours it folds what is long
// past and quiet; the file has all. It is safe for concurrent use.
type Recorder struct {
	started time.Time

	mu     sync.Mutex
	h      growing
	view   *View
	out    *bufio.Writer
	outErr error
	queues []*queue
	tells  []Listener // at once
	closed bool
}

// queue is what one listener has not heard yet.
type queue struct {
	events  chan queued
	dropped int64 // since the last that was queued
	done    chan struct{}
}

// queued is an event, and how many before it were dropped.
type queued struct {
	Event
	dropped int64
}

// NewRecorder starts a history now. Events go to out as JSON lines; out may be nil.
func NewRecorder(started time.Time, out io.Writer) *Recorder {
	r := &Recorder{started: started, view: NewLivingView(), h: growing{foldLimits: longRuns}}
	if out != nil {
		r.out = bufio.NewWriterSize(out, 64<<10)
	}
	return r
}

// Started is the moment that offsets count from.
func (r *Recorder) Started() time.Time { return r.started }

// Offset turns a moment into an offset of this run, in whole microseconds: what
// is written keeps no more, and a run must be judged as its file will be.
func (r *Recorder) Offset(t time.Time) Offset {
	return Offset(t.Sub(r.started).Truncate(time.Microsecond))
}

// Record appends an event. After Close it does nothing.
func (r *Recorder) Record(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.view.Apply(e)
	r.h.add(e)
	if r.out != nil && r.outErr == nil {
		r.outErr = r.write(e)
	}
	for _, l := range r.tells {
		l.Event(e)
	}
	for _, q := range r.queues {
		select {
		case q.events <- queued{e, q.dropped}:
			q.dropped = 0
		default:
			q.dropped++
		}
	}
}

func (r *Recorder) write(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.Kind, err)
	}
	if _, err := r.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if e.Kind == KindCounts {
		return nil // the frequent ones wait for the next flush
	}
	if err := r.out.Flush(); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}

// Err is the first error of writing: after it, the file has no more events.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outErr
}

// Listen tells l of every event from now on, until Close.
func (r *Recorder) Listen(l Listener) {
	q := &queue{events: make(chan queued, listenerQueue), done: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queues = append(r.queues, q)
	go func() {
		defer close(q.done)
		for next := range q.events {
			if next.dropped > 0 {
				l.Dropped(next.dropped)
			}
			l.Event(next.Event)
		}
		if q.dropped > 0 { // nobody counts any more
			l.Dropped(q.dropped)
		}
	}()
}

// Tell tells l of every event from now on, within Record and without a queue: where
// time is virtual, nothing that is measured waits for it, and none is dropped. It
// must not ask the recorder for anything.
func (r *Recorder) Tell(l Listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tells = append(r.tells, l)
}

// See calls f with the live view while no event can come in. f must be quick
// and must not keep the view.
func (r *Recorder) See(f func(*View)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.view)
}

// Close ends the recording: the file is flushed, listeners get what is queued
// for them, at most for the given time. The first error of writing is returned.
func (r *Recorder) Close(patience time.Duration) (*History, error) {
	r.mu.Lock()
	r.closed = true
	queues := r.queues
	r.queues = nil
	err := r.outErr
	if r.out != nil && err == nil {
		err = r.out.Flush()
	}
	h := History{Events: r.h.events}
	r.mu.Unlock()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for _, q := range queues {
		close(q.events)
	}
	for _, q := range queues {
		select {
		case <-q.done:
		case <-deadline.C:
			return &h, err // a stuck listener is left behind: nothing measured waits for it
		}
	}
	return &h, err
}
