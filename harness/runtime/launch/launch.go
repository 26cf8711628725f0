// Package launch is what the runtimes have in common: the contract with a
// stand-in, addresses in its settings, the order of starting, waiting until it
// is ready, and its log.
package launch

import (
	"errors"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Grace is how long a service may take to end after it was asked to, before it
// is killed.
const Grace = 2 * time.Second

// Default for Options.ReadyWithin: a Vault that starts on a busy machine has
// been seen to take 10 s.
const defaultReadyWithin = 60 * time.Second

// ErrKilled is in the chain of the error that OnExit gets for a service that
// was ended by Kill.
var ErrKilled = errors.New("killed on request")

// Options are what every runtime takes. Only Record is required.
type Options struct {
	// Record is the run's entry in the list of runs that may leave something behind.
	Record *leftover.Record
	// Sink gets the log lines of the services; nil drops them.
	Sink world.LogSink
	// OnExit is told when a service that was ready ends, other than by Stop; the
	// error says how. By then its last log line was delivered. OnExit must not
	// call the runtime.
	OnExit func(service string, err error)
	// Progress is told of work that takes long, in a sentence; nil: nobody is.
	Progress func(string)
	// ReadyWithin bounds how long one service may take to become ready; 0 is 60 s.
	ReadyWithin time.Duration
}

// WithDefaults fills in what may be left out.
func (o Options) WithDefaults() Options {
	if o.Sink == nil {
		o.Sink = func(string, []byte) {}
	}
	if o.OnExit == nil {
		o.OnExit = func(string, error) {}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.ReadyWithin <= 0 {
		o.ReadyWithin = defaultReadyWithin
	}
	return o
}
