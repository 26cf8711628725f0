// Package world is what a rotation sees: interfaces only. A real world is
// bound to a runtime, a store and load; a simulated one stands in, in virtual time.
package world

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
// same kid, a key with another last character.
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

// Spec is one service as a runtime starts it: a stand-in (Serve) or an image.
// String values in Config, Environment, Command and Files may use {{ .NAME.url }},
// {{ .NAME.host }} and {{ .NAME.port }} of any service of the run, as seen from inside.
type Spec struct {
	Name  string
	Serve string
	// Config is handed to a stand-in as JSON; it may hold the run's own store
	// token and never appears in arguments or labels.
	Config contract.Config
	// Control is the token with which a stand-in lets itself be controlled, and
	// that nobody else is to know.
	Control string
	// Base is the image in which a stand-in is served that runs a program of
	// another; where there are no images, the program is that of the machine.
	Base        string
	Image       string
	Build       *Build // of which its image is made, where there is no Image
	Command     []string
	Init        [][]string // commands that run to their end before each start of it
	Environment map[string]string
	Port        int  // that the image listens on; stand-ins choose theirs
	HTTPS       bool // it speaks TLS there
	// Trust is what a stand-in is given to call services that speak TLS: certs.Trust as
	// JSON; empty: there are none.
	Trust  string
	Health string // path that answers 200 when the service is ready
	// HealthPort is where that is asked, by HTTP, where it is not at Port; 0: there.
	HealthPort int
	Needs      []string // services that must be ready first
	// Folder is where it finds the files that the runtime's Files writes for it, and
	// which it cannot change; "": it has none. Brought is how they get there, in the
	// words of a page: file, secret-volume, config-map.
	Folder, Brought string
	// SubPath has each of them mounted by itself: they stay as they were at its start.
	SubPath bool
	// Files are given to a container before it starts, by their paths in it.
	Files map[string]string
	// Volumes are copied into a container before it starts, with all that is in them.
	Volumes []Volume
	// Entrypoint is what a container runs in place of its image's own, before Command;
	// User is as whom. Empty: as the image has it.
	Entrypoint []string
	User       string
	// NewPrivileges lets what runs in a container gain rights that it was not
	// started with, as setuid programs do.
	NewPrivileges bool
	// Links are files in its Folder that a container finds at other paths too: where
	// each leads, by its path in the container.
	Links map[string]string
	// Before is called once, before the service starts for the first time and when
	// it is known where the services of the run are; address fills in a word of
	// theirs. Nil: there is nothing to do.
	Before func(address func(contract.Word) (string, error)) error `json:"-"`
	// Dir is where a Command without an image is run; default is where this
	// process runs.
	Dir string
}

// WithCommands is a spec in which each word of what it runs is another.
func (s Spec) WithCommands(word func(string) string) Spec {
	rewritten := func(command []string) []string {
		words := make([]string, len(command))
		for i, w := range command {
			words[i] = word(w)
		}
		return words
	}
	s.Command, s.Init = rewritten(s.Command), slices.Clone(s.Init)
	for i := range s.Init {
		s.Init[i] = rewritten(s.Init[i])
	}
	return s
}

// Job is what runs the nth of a spec's Init: the same, with that command, and nobody calls it.
func (s Spec) Job(n int) Spec {
	s.Command, s.Init, s.Port, s.Health, s.HealthPort = s.Init[n], nil, 0, "", 0
	return s
}

// Volume is a file or a folder that a container has a copy of.
type Volume struct {
	From fs.FS
	Name string // of the file or folder in From
	To   string // its absolute path in the container
}

// Build is what an image is made of.
type Build struct {
	Context    fs.FS
	Dockerfile string // a file of it; default Dockerfile
}

// LogSink takes one line of a service's log, without its newline. Lines of one
// service come in order; lines of several come concurrently.
type LogSink func(service string, line []byte)

// Runtime starts and ends services.
type Runtime interface {
	// Name is the one under which it is asked for: "process", "docker".
	Name() string
	// Start starts services in parallel, each as soon as those that it needs
	// are ready, and returns when all are ready or one failed; the error says
	// which, what was waited for and what was last seen. It may be called again
	// for more services of the same run.
	Start(ctx context.Context, specs []Spec) error
	// URL is the address of a started service: as other services see it, or as
	// the harness does.
	URL(service string, inside bool) string
	// Stop ends and removes everything that was started, and waits until the
	// last log line was delivered. It takes "already gone" for done.
	Stop(ctx context.Context) error
}

// StartError is in the chain of errors that mean: one of the services did not start.
type StartError struct {
	Service string
	Err     error
}

// Error says which service it was, and why.
func (e *StartError) Error() string { return "start " + e.Service + ": " + e.Err.Error() }

// Unwrap is why.
func (e *StartError) Unwrap() error { return e.Err }

// ErrNoImage is in the chain of errors that mean: the runtime does not have an image,
// and could neither get nor build it.
var ErrNoImage = errors.New("no such image")

// ErrCannot is in the chain of errors that mean: a plan asks of the runtime what it
// cannot do, and another can.
var ErrCannot = errors.New("not possible with this runtime")

// Imager is the ability to run services from images: each on a network of the run,
// with a loopback of its own. A runtime without it runs the programs of this machine.
type Imager interface {
	// Image is the first of several images that the runtime has, or else the first
	// that it can get; ErrNoImage.
	Image(ctx context.Context, images ...string) (string, error)
	// ImageLabel is a label of an image that Image found; "" where it has none of the name.
	ImageLabel(ctx context.Context, image, name string) (string, error)
}

// Labeller is the ability to put the run's labels on what it starts.
type Labeller interface {
	// Labels are those that all carry which the run has started.
	Labels() map[string]string
}

// Files is the ability to write files for services, before they start and while they run.
type Files interface {
	// Folder is where a service has its files, by the path that is the Folder of its Spec.
	Folder(service string) (string, error)
	// WriteFiles makes contents the files of a service by their names, all at once: who
	// reads them finds the old ones or the new ones. When they get there is told by
	// what brings them. Errors quote nothing of a content.
	WriteFiles(ctx context.Context, service string, contents map[string][]byte) error
}

// Cluster is the ability to bring what is published as a Kubernetes cluster does: files
// by its kubelets, and environments by its rollouts, in the time that these take.
type Cluster interface {
	// Sync is the longest time between two looks of a kubelet at a pod to which nothing
	// happens, as the kubelets are set, and in words how that is known.
	Sync(ctx context.Context) (time.Duration, string)
}

// Killer, Pauser, Restarter, Redeployer, Signaller and Locator are optional abilities of a Runtime, which
// faults ask for.
type Killer interface {
	// Kill ends a service at once, without a chance to clean up.
	Kill(ctx context.Context, service string) error
}

// Pauser is the ability to freeze a service and to let it go on.
type Pauser interface {
	Pause(ctx context.Context, service string) error
	Unpause(ctx context.Context, service string) error
}

// Restarter is the ability to start a service that ended again, at the same address.
type Restarter interface {
	Restart(ctx context.Context, service string) error
}

// Redeployer is the ability to put another in the place of a running service,
// as a rolling restart does: its address stays, and requests are answered
// throughout, by the one that goes or by the one that comes.
type Redeployer interface {
	// Redeploy starts a service anew with these variables over those of its
	// Spec, and returns when the new one is ready and the old one has ended. An
	// error never quotes a value.
	Redeploy(ctx context.Context, service string, environment map[string]string) error
}

// Sticker is the ability to begin a rollout that comes to no end, as those of a cluster
// do which go on by themselves.
type Sticker interface {
	// Stick begins what Redeploy does, and returns when it is seen to be stuck. The
	// service goes on as it is; the next Redeploy or Stick takes the place of this one.
	Stick(ctx context.Context, service string, environment map[string]string, by RolloutTrouble) error
}

// RolloutTrouble is how the rollouts of a service go wrong.
type RolloutTrouble string

// How rollouts go wrong: by all but the last they are stuck.
const (
	RolloutPaused RolloutTrouble = "paused" // somebody paused them
	RolloutImage  RolloutTrouble = "image"  // the image of the new pod cannot be pulled
	RolloutNode   RolloutTrouble = "node"   // no node takes the new pod: they are cordoned, or full
	RolloutEarly  RolloutTrouble = "early"  // they come before the environment is written
)

// Signaller is the ability to send a signal to a service by its name without
// SIG: HUP, USR1, USR2.
type Signaller interface {
	Signal(ctx context.Context, service, signal string) error
}

// Locator is the ability to tell a service from the address that its requests
// come from.
type Locator interface {
	// ServiceAt is the service with an IP address; "" where none has it.
	ServiceAt(ip string) string
}
