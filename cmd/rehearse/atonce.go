package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"time"
)

// underWay counts the rehearsals of this process: each leaves something behind where the process ends
// at once.
var underWay atomic.Int32

// sayingWithin bounds how long an immediate end waits for a terminal that takes nothing.
const sayingWithin = 200 * time.Millisecond

// atOnce ends the process at the next of these signals, as the system would, after saying what may be
// left.
func atOnce(signals []os.Signal) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, signals...)
	go func() { // ends with the process
		sig := <-again
		sayLeft(os.Stderr)
		signal.Reset(signals...)
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(sig)
		}
		if err != nil { // where a process cannot signal itself
			os.Exit(exitInterrupted)
		}
	}()
}

// sayLeft prints what rehearsals that end at once may leave, and what removes it; nothing where none is
// under way.
func sayLeft(to io.Writer) {
	if underWay.Load() == 0 {
		return
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintln(to, "rehearse: ended at once, and what it started is left: `rehearse clean` removes it; `rehearse run --resume DIR`, before that, takes back a rotation that was under way")
	}()
	select {
	case <-said:
	case <-time.After(sayingWithin):
	}
}
