package simulated

import (
	"fmt"
	"io"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Options say how the world differs from its plan. The zero value behaves as the scenario sets it up.
type Options struct {
	// Seed decides the phases of polls and refreshes, the ages of sessions and
	// which attempts of a failing baseline are refused; 0: the plan's seed.
	Seed int64
	// Validators replace how validators behave, by name.
	Validators map[string]Behaviour
	// Replicas replace one validator by several behind its address; chance decides which of them a
	// presentation meets.
	Replicas map[string][]Behaviour
	// Slow is how long a validator takes for each answer to a probe; wall time.
	Slow map[string]time.Duration
	// Pinned are emitters and validators that keep what they found at their start for good, besides
	// those that the scenario pins.
	Pinned map[string]bool
	// Refresh replaces how often emitters read what was published, by name; page time.
	Refresh map[string]time.Duration

	// Down are the stretches in which a service, or the store, answers nothing, by
	// name. They are the faults of this world.
	Down map[string]Span
	// Erring are validators that answer every request with status 500, and are
	// well otherwise.
	Erring map[string]bool
	// Failing is the share of attempts that is refused whatever was presented,
	// in [0, 1]: a baseline that is noisy of itself.
	Failing float64
	// RateFactor multiplies the rate of every client; 0 means 1.
	RateFactor float64
	// Fine counts attempts in buckets of a tenth of a second throughout, as a real run's load;
	// otherwise a quiet stretch is one wide bucket.
	Fine bool
	// LoadDiesAt is when the load stops for good; nil: it goes on to the end.
	LoadDiesAt *Moment

	// StepErrors are returned, once each, instead of taking a step. The keyring keeps the step as
	// pending, as after a rotator's death.
	StepErrors map[keyring.Intent]error
	// Disagree are differences between authority and store that Compare returns.
	Disagree []string
	// MakeError is returned, once, when the new credential is to be made.
	MakeError error
	// Answers are what the operator says before a phase; without one, to go on.
	Answers map[history.Phase]world.Command
	// Holds are how long the operator takes to answer before a phase; wall time.
	Holds map[history.Phase]time.Duration
	// Confirms are what the operator says, one after the other, when asked once more
	// because a gate says no; after the last: Approved.
	Confirms []world.Command
	// Commands are what the operator asks for in between.
	Commands []Command
	// Events gets every event as a JSON line, and Listeners are told of every one, as
	// it comes; nil: nobody is.
	Events    io.Writer
	Listeners []history.Listener
	// Totals may change the four counters, which otherwise agree, before they are recorded.
	Totals func(*history.Totals)
}

// Behaviour is how a validator learns and forgets; durations are page time.
type Behaviour struct {
	// Refresh is how often it fetches the key set by itself; 0: never.
	Refresh time.Duration
	// OnMiss makes an unknown credential cause a fetch, at most once per Cooldown.
	OnMiss   bool
	Cooldown time.Duration
	// Keys is how many credentials it keeps, from the beginning of the set; 0:
	// no limit.
	Keys int
	// KeepsAll makes it keep what it has when it is no longer in the set.
	KeepsAll bool
}

// Moment is a point of a run.
type Moment struct {
	// Phase from whose beginning After counts; empty: from the start of the run.
	Phase history.Phase
	After time.Duration // wall time
}

// Span is a stretch of a run.
type Span struct {
	From Moment
	For  time.Duration // wall time; 0: until faults are undone
	// Frozen makes it give no answer, where it refuses connections otherwise.
	Frozen bool
}

// Command is an operator's unasked command.
type Command struct {
	At      Moment
	Command world.Command
}

// check panics where options name what the plan does not have: such an option
// would change nothing, and a test that relies on it would prove nothing.
func (o Options) check(w *World) {
	need := func(option, name string, there bool) {
		if !there {
			panic(fmt.Sprintf("simulated world: option %s names %q, which the plan does not have", option, name))
		}
	}
	for name := range o.Validators {
		need("Validators", name, w.validators[name] != nil)
	}
	for name := range o.Replicas {
		need("Replicas", name, w.validators[name] != nil)
		if v, _ := w.limits.Validator(name); v.Alone {
			panic(fmt.Sprintf("simulated world: option Replicas makes several of %q, which the plan says is alone", name))
		}
	}
	for name := range o.Slow {
		need("Slow", name, w.validators[name] != nil)
	}
	for name := range o.Pinned {
		need("Pinned", name, w.validators[name] != nil || w.emitters[name] != nil)
	}
	for name := range o.Erring {
		need("Erring", name, w.validators[name] != nil)
	}
	for name := range o.Refresh {
		need("Refresh", name, w.emitters[name] != nil)
	}
	for name := range o.Down {
		need("Down", name, name == storeName || w.validators[name] != nil || w.emitters[name] != nil || w.caches[name] != nil)
	}
}
