// Package world is what a rotation sees: interfaces only. A real world is
// bound to a runtime, a store and load; a simulated one stands in, in virtual time.
package world

import (
	"context"
	"errors"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// World is everything that a rotation acts on or asks.
type World struct {
	Clock    Clock
	Steps    Steps
	Probes   Probes
	History  History
	Operator Operator
	Faults   Faults
	// LookLast looks at what had to be let alone while validators were shown the old credential, once
	// they have been; nil: there is nothing.
	LookLast func(context.Context)
}

// Clock tells and waits for time.
type Clock interface {
	Now() time.Time
	// Sleep waits for d or until ctx ends; its error is then that of ctx.
	Sleep(ctx context.Context, d time.Duration) error
	// Go starts f beside its caller, who owns it: wait returns when f has. Whoever
	// waits by the clock is started so, and waits for others by wait or Sleep alone:
	// a virtual clock goes on when all of them wait.
	Go(f func()) (wait func())
}

// Patient is an optional ability of a Clock whose time is virtual: to let more of it pass
// at once where nothing happens.
type Patient interface {
	// Pause sleeps for at least least and at most most: until something has changed, or
	// for a hundredth of the time for which nothing has. Its error is that of ctx.
	Pause(ctx context.Context, least, most time.Duration) error
}

// Steps are the changes of a rotation: our own calls on authority and store in
// a managed rehearsal, a team's own commands in an attached one. Each is safe
// to repeat, and each is read back before it returns.
type Steps interface {
	// Make makes a credential under a name that is new to the keyring and says
	// by which identifier it will be known. It is accepted nowhere yet.
	Make(ctx context.Context, name string) (identifier string, err error)
	// Do takes one step with one credential, and returns when the authority and
	// the store have it; consumers may learn of it later.
	Do(ctx context.Context, step keyring.Step, credential string) error
}

// Comparer is an optional ability of Steps: to say whether authority and store
// agree.
type Comparer interface {
	// Compare reads back what the authority accepts and what is published, and
	// says in a sentence each where they differ from the keyring; none: all
	// agree. The error says that it could not be found out.
	Compare(ctx context.Context) (differences []string, err error)
}

// Contacter is an optional ability of Steps: to say whether the store can be reached.
type Contacter interface {
	// Contact reads something small, and returns why it could not.
	Contact(ctx context.Context) error
}

// Stopper is an optional ability of Steps: to say that somebody outside wants the
// rotation taken back, as a team's own alert does.
type Stopper interface {
	// Stop is why, and for how long that has been so; "" where nobody does.
	Stop() (why string, held time.Duration)
}

// Rotator is an optional ability of Steps: that another than the run takes some of
// them, in its own time. Make and Do of those are called when they were seen.
type Rotator interface {
	// Rotates reports whether the rotator takes a step.
	Rotates(step keyring.Step) bool
	// Start has the rotator begin, and returns when it has begun.
	Start(ctx context.Context) error
	// Progress is what it was seen to do so far.
	Progress() Progress
	// Halt stops it where the team lets a rehearsal do so, and returns when it has
	// ended.
	Halt(ctx context.Context) error
	// Await returns when it has ended by itself or its time is over.
	Await(ctx context.Context)
	// Lets says whether the team lets a rehearsal stop it, and has what it did taken back.
	Lets() (stop, back bool)
}

// Progress is what a rotator was seen to do so far.
type Progress struct {
	// Identifier is that of the new credential; "": none was seen.
	Identifier string
	// Taken are the steps that were seen, each with what was looked at.
	Taken map[keyring.Step]Taken
	// Over says that it has ended, and Err why not with success; then it may still have
	// been seen to do all.
	Over   bool
	OverAt time.Time
	Err    error
	// Is is what was seen at the last look, in words: what stands in the way of the step
	// that is waited for.
	Is string
	// Looked is when the last look began that saw something; zero: nobody says.
	Looked time.Time
	// Blind is why the last look saw nothing; what was seen before stays.
	Blind error
	// Odd is that it did what no rotation does, in words.
	Odd error
}

// Taken is when a step of another was seen: it was taken between the two.
type Taken struct{ NotYet, Seen time.Time }

// Probes are presentations of a credential by the harness itself.
type Probes interface {
	// Hold makes what must exist before a revoke to be presented after it: a
	// token or session of the credential that does not expire within the time.
	Hold(ctx context.Context, credential string, life time.Duration) error
	// Present shows a credential to a validator once. The error is the
	// harness's own; what the validator decided is in the probe's outcome.
	Present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error)
}

// Renewer is an optional ability of Probes: to have an emitter make anew what
// it made with a credential, where that lives on by itself, as a connection does.
type Renewer interface {
	// Renew returns when the emitter has been told; false: it makes no such thing.
	Renew(ctx context.Context, emitter string) (told bool, err error)
}

// Doubter is an optional ability of Probes: to show what tells how it is meant that
// a validator takes what it should refuse.
type Doubter interface {
	// Doubts are the purposes beside those of a rotation, MadeUp and Anew, for which
	// Present can show a credential.
	Doubts() []history.Purpose
}

// Spoiler is an optional ability of Probes: to show the control of a credential, which has
// all of it but the proof that somebody has it: a token with another signature under the
// same kid, a key with one other character.
type Spoiler interface {
	// Spoils reports whether Present can show a validator something for the purpose
	// Control that locks nobody out.
	Spoils(validator string) bool
}

// ByName is an optional ability of Probes: to say whether a validator is shown the name of
// a credential beside its value, as a database is. It refuses a name that is locked whatever
// the value is: that the old one is refused does not show that it looks at values.
type ByName interface {
	ByName(validator string) bool
}

// Sessions is an optional ability of Probes: to say whose sessions are still
// served that were made with a credential, where an authority can tell them from
// those that were made with another.
type Sessions interface {
	// Sessions counts them by who made them; the harness's own do not count.
	Sessions(ctx context.Context, credential string) (map[string]int64, error)
}

// History is what is known so far, and where new events go.
type History interface {
	// Record appends an event with the present offset.
	Record(history.Event)
	// See calls f with the live view; f must be quick and not keep it.
	See(f func(*history.View))
	// Offset is the present offset.
	Offset() history.Offset
}

// CatchUp is an optional ability of a History whose counts are made in stretches: to bring
// them up to the present.
type CatchUp interface{ CatchUp() }

// Command is what an operator wants to happen next.
type Command string

// The commands of an operator.
const (
	GoOn     Command = "go-on"    // nobody was asked
	Approved Command = "approved" // a person was, and said to go on
	Wait     Command = "wait"     // not yet
	RollBack Command = "roll-back"
	Abort    Command = "abort"
)

// Operator is the person at the controls, or what stands for one.
type Operator interface {
	// Approve is asked before each phase and returns when the phase may begin,
	// or what else to do. Before a revoke it is the confirmation.
	Approve(ctx context.Context, next history.Phase) (Command, error)
	// Interrupt delivers commands that come in the middle of a phase.
	Interrupt() <-chan Command
}

// Confirmer is an optional ability of an Operator: to be asked once more where
// what they have approved is what a gate says no to.
type Confirmer interface {
	// Confirm asks whether a phase is to begin all the same, and says what the gate
	// says. Approved is yes, and Wait no: Approve is asked again.
	Confirm(ctx context.Context, next history.Phase, says string) (Command, error)
}

// Faults are told when a phase begins, so that those which are timed from it
// can be injected, and are undone at the end.
type Faults interface {
	// Begin starts the timers of the faults of a phase, and returns when those
	// that begin with it are injected, or after a time that is short.
	Begin(ctx context.Context, phase history.Phase)
	// Undo undoes what is still injected, under its own deadline.
	Undo(ctx context.Context) error
}

// Store is a KV v2 store with check-and-set, as Vault has it. Paths are below
// the run's own mount, without its name.
type Store interface {
	// Get reads the newest version. A path that holds nothing is ErrNotFound.
	Get(ctx context.Context, path string) (data map[string]any, version int, err error)
	// Put writes a new version if the newest is still cas (0: nothing yet);
	// otherwise the error is ErrConflict.
	Put(ctx context.Context, path string, data map[string]any, cas int) (version int, err error)
	// Destroy removes the values of versions for good.
	Destroy(ctx context.Context, path string, versions []int) error
}

// StaticRoles is an optional ability of a Store: to change passwords at a
// database by itself, as Vault's database secrets engine does. A password is
// changed there first and can be read afterwards: there is no overlap.
type StaticRoles interface {
	// Adopt takes charge of a login, changes its password, and returns the new
	// one; of a login that is in its charge already it returns the present one.
	Adopt(ctx context.Context, role StaticRole) (password string, err error)
	// Rotate changes the password of a login in its charge and returns the new one.
	Rotate(ctx context.Context, login string) (password string, err error)
}

// StaticRole is a login of a PostgreSQL database, and how a Store gets there.
type StaticRole struct {
	Login    string
	Database string // a name for the server
	Address  string // HOST:PORT/NAME?SETTINGS as the store sees it
	// Admin may change the login's password.
	Admin, AdminPassword string
}

// ErrOtherRotation is in the chain of the error of a step that found the secret
// changed by somebody else: to write over that would take away what they have
// given to consumers.
var ErrOtherRotation = errors.New("somebody else changes the same secret; let one rotation end before the other begins")

// Errors of a Store.
var (
	ErrNotFound = errors.New("nothing at this path")
	ErrConflict = errors.New("another version was written meanwhile")
)
