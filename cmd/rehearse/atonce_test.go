package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestEndedAtOnce says what is left where a rehearsal was under way, and nothing
// where none was.
func TestEndedAtOnce(t *testing.T) {
	var said bytes.Buffer
	if sayLeft(&said); said.Len() > 0 {
		t.Errorf("without a rehearsal: got %q, want nothing", said.String())
	}
	underWay.Add(1)
	defer underWay.Add(-1)
	sayLeft(&said)
	if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "`rehearse clean` removes it") || !strings.Contains(got, "--resume DIR") {
		t.Errorf("got %q, want one line that says what is left and what to run", got)
	}
}

// TestEndedAtOnceBesideAStuckTerminal does not wait for one that takes nothing.
func TestEndedAtOnceBesideAStuckTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		underWay.Add(1)
		defer underWay.Add(-1)
		from, to := io.Pipe() // nobody reads
		began := time.Now()
		sayLeft(to)
		if took := time.Since(began); took != sayingWithin {
			t.Errorf("took %s, want %s", took, sayingWithin)
		}
		from.Close() // ends the writing
	})
}

// TestSecondSignal takes a signal that comes right behind the first, as timeout(1) sends it, for
// the same one, and the next for a second.
func TestSecondSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, again := time.Now(), make(chan os.Signal, 1)
		go func() {
			again <- syscall.SIGTERM // to the group
			time.Sleep(time.Second)
			again <- syscall.SIGINT // of a person
		}()
		if sig := second(again); sig != syscall.SIGINT || time.Since(began) != time.Second {
			t.Errorf("got %s after %s, want %s after 1s", sig, time.Since(began), syscall.SIGINT)
		}
	})
}
