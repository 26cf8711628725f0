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

// sameWithin is how long after the first signal another one is the same: timeout(1), and others that
// end a job, signal the process and then its group, which it is in. No hand is as quick.
const sameWithin = 100 * time.Millisecond

// second waits for a signal that is not the first one once more.
func second(again <-chan os.Signal) os.Signal {
	for same := time.After(sameWithin); ; {
		select {
		case <-again:
		case <-same:
			return <-again
		}
	}
}

// atOnce ends the process at the second of these signals, as the system would, after saying what may be
// left.
func atOnce(signals []os.Signal) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, signals...)
	go func() { // ends with the process
		sig := second(again)
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
