package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
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
