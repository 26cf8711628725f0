package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// screen is what was printed; it may be written to concurrently.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestAsking(t *testing.T) {
	tests := []struct {
		typed string
		want  world.Command
	}{
		{"\n", world.Approved}, {"Y\n", world.Approved}, {"r\n", world.RollBack}, {"abort\n", world.Abort},
		{"what?\na\n", world.Abort},
	}
	for _, test := range tests {
		t.Run(test.typed, func(t *testing.T) {
			var shown screen
			got, err := newAsking(strings.NewReader(test.typed), &shown, true).Approve(t.Context(), history.Revoke)
			if got != test.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
			if text := shown.String(); !strings.Contains(text, "begin revoke?") {
				t.Errorf("got %q on the screen, want the question", text)
			}
			if explained := strings.Contains(shown.String(), "y goes on"); explained != strings.Contains(test.typed, "?") {
				t.Errorf("explained: got %v", explained)
			}
		})
	}
}

func TestAskingForTheRevokeOnly(t *testing.T) {
	var shown screen
	a := newAsking(strings.NewReader("r\n"), &shown, false)
	if got, err := a.Approve(t.Context(), history.Emit); got != world.GoOn || err != nil {
		t.Errorf("before emit: got %q, %v; want to go on without a question", got, err)
	}
	if got, err := a.Approve(t.Context(), history.Revoke); got != world.RollBack || err != nil {
		t.Errorf("before revoke: got %q, %v; want what was typed", got, err)
	}
}

func TestAskingEndsWithTheRun(t *testing.T) {
	nothing, typist := io.Pipe()
	defer typist.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newAsking(nothing, io.Discard, true).Approve(ctx, history.Emit); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}

func TestAskingDeliversInTheMiddleOfAPhase(t *testing.T) {
	select {
	case got := <-newAsking(strings.NewReader("rollback\n"), io.Discard, true).Interrupt():
		if got != world.RollBack {
			t.Errorf("got %q, want roll-back", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was delivered within 10 s")
	}
}

// typist writes what is typed when the screen shows what it waits for.
func typist(t *testing.T, shown *screen, to io.Writer, lines ...[2]string) {
	t.Helper()
	for _, line := range lines {
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(shown.String(), line[0]); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%q was not shown within 10 s; shown is %q", line[0], shown.String())
				return
			}
		}
		if _, err := io.WriteString(to, line[1]); err != nil {
			t.Error(err)
		}
	}
}

func TestAskingOnceMore(t *testing.T) {
	const question = "the gate says no: nightly still uses k1. Revoke anyway? [y]es, [N]o, [r]oll back, [a]bort"
	for _, tt := range []struct {
		typed string
		want  world.Command
	}{
		{"y\n", world.Approved}, {"n\n", world.Wait}, {"\n", world.Wait}, {"r\n", world.RollBack}, {"a\n", world.Abort},
	} {
		t.Run(tt.typed, func(t *testing.T) {
			var shown screen
			from, to := io.Pipe()
			defer to.Close()
			a := newAsking(from, &shown, true)
			go typist(t, &shown, to, [2]string{question, tt.typed})
			got, err := a.Confirm(t.Context(), history.Revoke, "nightly still uses k1")
			if got != tt.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// TestAskingIsNotAnsweredAhead has somebody type y twice at the first question: the
// second one is none to a question that was not asked yet. A word that ends things is
// one at any time.
func TestAskingIsNotAnsweredAhead(t *testing.T) {
	for ahead, want := range map[world.Command]world.Command{world.Approved: world.Wait, world.RollBack: world.RollBack} {
		synctest.Test(t, func(t *testing.T) {
			a := &terminalOperator{to: io.Discard, hold: true, commands: make(chan world.Command)}
			typed := func(c world.Command) { a.commands <- c }
			go typed(ahead)
			synctest.Wait()
			asked := make(chan world.Command, 1)
			go func() {
				got, err := a.Confirm(t.Context(), history.Revoke, "nightly still uses k1")
				if err != nil {
					t.Error(err)
				}
				asked <- got
			}()
			synctest.Wait()
			if want != ahead {
				typed(want)
			}
			if got := <-asked; got != want {
				t.Errorf("after %q: got %q, want %q", ahead, got, want)
			}
		})
	}
}
