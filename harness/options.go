package harness

import (
	"context"
	"errors"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Where services run, and which secrets store a run starts.
const (
	Auto    = "auto" // docker where an engine answers, else process; the embedded store
	Process = "process"
	Docker  = "docker"
	// Simulated is in virtual time: nothing is started, and no store.
	Simulated = scenario.Simulated
	Embedded  = "embedded"
	Vault     = "vault"
)

// ErrNotHere is in the chain of Run's error where this machine, or the chosen runtime, cannot run an
// external service: it has no container engine, or no image. Nothing is wrong with the scenario.
var ErrNotHere = errors.New("cannot be rehearsed here")

// Options say how a plan is carried out. Only Folder is required.
type Options struct {
	// Folder is the run's own: it is made, and must hold no other run's events.
	// It gets events.jsonl and logs/NAME.log.
	Folder string
	// Runtime is Auto (the default), Simulated, or the name of one of runtime.Kinds; Auto is Simulated
	// where the scenario says so. Place chooses among the places of such a runtime.
	Runtime string
	Place   launch.Place
	// Store is Auto (the default), Embedded or Vault.
	Store string
	// VaultAddr is the address of a Vault to use instead, with VaultToken; both
	// services and harness must reach it. The run makes a mount of its own
	// there and removes it.
	VaultAddr, VaultToken string
	// Lock is how long to wait for another rehearsal of the same attached system to end; 0: not at all.
	Lock time.Duration
	// LoadShards is how many processes share the load, each with its part of the clients'
	// sessions; 0 is one.
	LoadShards int
	// Executable is the rehearse binary that stand-ins are run from; default is
	// this process's own.
	Executable string
	// Runs is the folder in which live runs are recorded, so that a later one
	// finds what a dead one left; default leftover.DefaultDir.
	Runs string
	// Operator decides before each phase; nil approves everything. One who is
	// world.Equipped is handed controls when the services are up.
	Operator world.Operator
	// Listeners are told of every event.
	Listeners []history.Listener
	// Progress gets a sentence about what goes on before the first event and after the last; may be
	// nil.
	Progress func(string)
	// Report writes the reports of a result into its folder. It is called again where they turn out to
	// hold a secret; nil writes none.
	Report func(*Result) error
}

func (o Options) withDefaults() Options {
	if o.Runtime == "" {
		o.Runtime = Auto
	}
	if o.Store == "" {
		o.Store = Auto
	}
	if o.Operator == nil {
		o.Operator = approving{}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Report == nil {
		o.Report = func(*Result) error { return nil }
	}
	return o
}

// Result is what a run came to.
type Result struct {
	Plan    *plan.Plan
	History *history.History
	Limits  plan.Limits // as the history has them
	Verdict judge.Verdict
	// Ended is how the rotation ended: one of the history.Ended constants.
	Ended     string
	Folder    string
	Run       string // the name under which the run's parts are labelled
	Runtime   string // process, docker, simulated
	Store     string // "vault 1.21.0", "embedded"
	StartedAt time.Time
	// Overhead is the wall time that the run took beside the rotation itself.
	Overhead time.Duration
}

// approving approves everything: in a managed rehearsal nothing is at stake.
type approving struct{}

var _ world.Operator = approving{}

// Approve goes on, unless the run is over.
func (approving) Approve(ctx context.Context, _ history.Phase) (world.Command, error) {
	return world.GoOn, ctx.Err()
}

// Interrupt never delivers anything.
func (approving) Interrupt() <-chan world.Command { return nil }
