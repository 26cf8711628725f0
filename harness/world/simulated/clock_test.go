package simulated

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestTheModelActsInOrderAndBeforeThoseWhoSleep(t *testing.T) {
	c := newClock(time.Now())
	var done []string
	wait := c.Go(func() {
		_ = c.Sleep(t.Context(), 5*time.Microsecond)
		done = append(done, "sleeper")
	})
	_ = c.Sleep(t.Context(), time.Nanosecond) // it sleeps now
	for _, e := range []struct {
		at   history.Offset
		what string
	}{{5000, "b"}, {3000, "a"}, {5000, "c"}, {5999, "d, in the same microsecond"}, {9000, "late"}} {
		c.at(e.at, func() { done = append(done, e.what) })
	}
	wait()
	if want := []string{"a", "b", "c", "d, in the same microsecond", "sleeper"}; !slices.Equal(done, want) {
		t.Errorf("done when it wakes at 5µs: got %v, want %v", done, want)
	}
	if c.offset() != 5000 {
		t.Errorf("offset: got %s, want 5µs", c.offset().Duration())
	}
}

// TestPartiesTakeTurns lets parties start others, wait for them and end each other's
// contexts, and wants what came of it twice.
func TestPartiesTakeTurns(t *testing.T) {
	run := func() string {
		c := newClock(time.Now())
		var b strings.Builder
		say := func(format string, args ...any) {
			fmt.Fprintf(&b, "%s "+format+"\n", append([]any{c.now.Duration()}, args...)...)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var waits []func()
		for i := range 3 {
			waits = append(waits, c.Go(func() {
				err := c.Sleep(ctx, time.Duration(i+1)*time.Second)
				say("party %d: %v", i, err)
				if i == 1 {
					inner := c.Go(func() { say("inner: %v", c.Sleep(t.Context(), time.Minute)) })
					cancel()
					inner()
					say("party 1 has waited")
				}
			}))
		}
		for _, wait := range waits {
			wait()
		}
		return b.String()
	}
	want := "1s party 0: <nil>\n2s party 1: <nil>\n2s party 2: context canceled\n1m2s inner: <nil>\n1m2s party 1 has waited\n"
	for range 2 {
		if got := run(); got != want {
			t.Errorf("got:\n%swant:\n%s", got, want)
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	c := newClock(time.Now())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Sleep(ended, time.Hour); !errors.Is(err, context.Canceled) || c.now != 0 {
		t.Errorf("in a context that has ended: got %v at %s, want %v at once", err, c.now.Duration(), context.Canceled)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.at(history.Offset(time.Minute), cancel)
	if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) || c.now.Duration() != time.Minute {
		t.Errorf("in one that ends after a minute: got %v at %s, want %v then", err, c.now.Duration(), context.Canceled)
	}
}

func TestWaitingForNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic, want one: nobody can ever go on")
		}
	}()
	c := newClock(time.Now())
	c.await(&signal{})
}
