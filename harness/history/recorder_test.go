package history

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listener collects what it is told.
type listener struct {
	wait chan struct{} // every event waits for it to be closed; nil: none does

	mu      sync.Mutex
	events  int64
	dropped int64
}

func (l *listener) Event(Event) {
	if l.wait != nil {
		<-l.wait
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events++
}

func (l *listener) Dropped(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += n
}

func (l *listener) told() (events, dropped int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events, l.dropped
}

func TestRecorderWritesWhatReadReads(t *testing.T) {
	var out bytes.Buffer
	r := NewRecorder(time.Now(), &out)
	r.Record(Event{Kind: KindPlan, Plan: []byte(`{"family":"jwt-signing-key"}`)})
	r.Record(Event{At: 5 * ms, Kind: KindPhase, Phase: Baseline})
	r.Record(counted(100*ms, "app", "k1", 10, 2))
	r.Record(Event{At: 250 * ms, Kind: KindGate, Phase: Verify, Gate: &Gate{Phase: Verify, Mode: "observe", Detail: "search has not taken k2", Consumer: "search"}})
	recorded, err := r.Close(time.Second)
	if err != nil {
		t.Fatalf("close: %v", err)
	}
	if len(recorded.Events) != 4 {
		t.Fatalf("recorded: got %d events, want 4", len(recorded.Events))
	}
	read, err := Read(&out)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !reflect.DeepEqual(read, recorded) {
		t.Errorf("read: got  %+v\nwant %+v", read, recorded)
	}
}

func TestRecorderOffset(t *testing.T) {
	began := time.Now()
	r := NewRecorder(began, nil)
	if got, want := r.Offset(began.Add(1234567*time.Nanosecond)), Offset(1234*time.Microsecond); got != want {
		t.Errorf("offset: got %d ns, want %d ns, as a file keeps it", got, want)
	}
	if !r.Started().Equal(began) {
		t.Errorf("started: got %s, want %s", r.Started(), began)
	}
}

func TestRecorderAfterClose(t *testing.T) {
	r := NewRecorder(time.Now(), nil)
	r.Record(Event{Kind: KindPlan})
	h, err := r.Close(time.Second)
	if err != nil {
		t.Fatalf("close: %v", err)
	}
	r.Record(Event{Kind: KindEnd})
	if len(h.Events) != 1 {
		t.Errorf("events: got %d, want 1: nothing is recorded after the close", len(h.Events))
	}
	again, err := r.Close(time.Second)
	if err != nil || len(again.Events) != 1 {
		t.Errorf("second close: got %d events, %v, want 1 and no error", len(again.Events), err)
	}
}

func TestRecorderFlushesWhatIsRare(t *testing.T) {
	var out bytes.Buffer
	r := NewRecorder(time.Now(), &out)
	r.Record(counted(0, "app", "k1", 1, 0))
	if out.Len() != 0 {
		t.Errorf("after counts: got %d bytes, want them to wait", out.Len())
	}
	r.Record(Event{Kind: KindPhase, Phase: Accept})
	if lines := strings.Count(out.String(), "\n"); lines != 2 {
		t.Errorf("after a phase: got %d lines, want 2, so that a killed run leaves its story", lines)
	}
	if _, err := r.Close(time.Second); err != nil {
		t.Errorf("close: %v", err)
	}
}

// broken is a disk that is full.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestRecorderTellsWriteErrors(t *testing.T) {
	full := errors.New("no space left on device")
	r := NewRecorder(time.Now(), broken{full})
	r.Record(Event{Kind: KindPhase, Phase: Accept})
	r.Record(Event{Kind: KindPhase, Phase: Verify})
	h, err := r.Close(time.Second)
	if !errors.Is(err, full) {
		t.Errorf("close: got %v, want %v", err, full)
	}
	if len(h.Events) != 2 {
		t.Errorf("events in memory: got %d, want 2", len(h.Events))
	}
}

func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const extra = 100
		r := NewRecorder(time.Now(), nil)
		slow, quick := &listener{wait: make(chan struct{})}, &listener{}
		r.Listen(slow)
		r.Record(Event{Kind: KindPlan})
		synctest.Wait() // slow has taken it and is stuck with it
		began := time.Now()
		for range listenerQueue + extra {
			r.Record(Event{Kind: KindRead})
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("recording beside a stuck listener: took %s, want no waiting", took)
		}
		r.Listen(quick)
		close(slow.wait)
		synctest.Wait()
		if events, _ := slow.told(); events != 1+listenerQueue {
			t.Errorf("slow listener: got %d events, want %d", events, 1+listenerQueue)
		}
		r.Record(Event{Kind: KindEnd})
		synctest.Wait()
		if events, dropped := slow.told(); events != 2+listenerQueue || dropped != extra {
			t.Errorf("slow listener: got %d events and %d dropped, want %d and %d", events, dropped, 2+listenerQueue, extra)
		}
		if events, dropped := quick.told(); events != 1 || dropped != 0 {
			t.Errorf("listener that came last: got %d events and %d dropped, want 1 and 0", events, dropped)
		}
		h, err := r.Close(time.Second)
		if err != nil || len(h.Events) != 2+listenerQueue+extra {
			t.Errorf("close: got %d events, %v, want all %d", len(h.Events), err, 2+listenerQueue+extra)
		}
	})
}

// inOrder writes down what it is told.
type inOrder struct {
	wait chan struct{}
	told []string
}

func (l *inOrder) Event(e Event) {
	<-l.wait
	l.told = append(l.told, e.Detail)
}

func (l *inOrder) Dropped(n int64) { l.told = append(l.told, fmt.Sprint(n, " dropped")) }

// What was dropped is told where it is missing: behind what was queued before it.
func TestDroppedIsToldInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := NewRecorder(time.Now(), nil), &inOrder{wait: make(chan struct{})}
		r.Listen(l)
		record := func(n int) {
			for i := range n {
				r.Record(Event{Kind: KindRead, Detail: fmt.Sprint(i)})
			}
		}
		record(1)
		synctest.Wait() // it is stuck with the first
		record(listenerQueue + 3)
		l.wait <- struct{}{}
		synctest.Wait() // there is room for one
		record(1 + 2)
		close(l.wait)
		if _, err := r.Close(time.Second); err != nil {
			t.Fatal(err)
		}
		if got, want := l.told[len(l.told)-4:], []string{fmt.Sprint(listenerQueue - 1), "3 dropped", "0", "2 dropped"}; !slices.Equal(got, want) {
			t.Errorf("told last: got %q, want %q", got, want)
		}
		if got, want := len(l.told), 1+listenerQueue+1+2; got != want {
			t.Errorf("told: got %d times, want %d", got, want)
		}
	})
}

func TestCloseGivesListenersWhatIsQueued(t *testing.T) {
	r := NewRecorder(time.Now(), nil)
	l := &listener{}
	r.Listen(l)
	for range 1000 {
		r.Record(Event{Kind: KindRead})
	}
	if _, err := r.Close(10 * time.Second); err != nil {
		t.Fatalf("close: %v", err)
	}
	if events, dropped := l.told(); events != 1000 || dropped != 0 {
		t.Errorf("listener: got %d events and %d dropped, want 1000 and 0", events, dropped)
	}
}

func TestCloseLeavesAStuckListenerBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder(time.Now(), nil)
		stuck := &listener{wait: make(chan struct{})}
		r.Listen(stuck)
		r.Record(Event{Kind: KindPlan})
		began := time.Now()
		if _, err := r.Close(3 * time.Second); err != nil {
			t.Errorf("close: %v", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("close: took %s, want the 3s that it was given", took)
		}
		close(stuck.wait)
	})
}

func TestRecorderIsSafeForConcurrentUse(t *testing.T) {
	var out bytes.Buffer
	r := NewRecorder(time.Now(), &out)
	r.Listen(&listener{})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 200 {
				r.Record(Event{Kind: KindRead, Reader: "search", What: "jwks"})
				r.See(func(v *View) { _ = v.Readers["search jwks"].Count })
			}
		})
	}
	writers.Wait()
	r.See(func(v *View) {
		if got := v.Readers["search jwks"].Count; got != 1600 {
			t.Errorf("reads in the view: got %d, want 1600", got)
		}
	})
	if _, err := r.Close(10 * time.Second); err != nil {
		t.Fatalf("close: %v", err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1600 {
		t.Errorf("lines: got %d, want 1600", lines)
	}
}
