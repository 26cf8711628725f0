package world

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
	// Share says that it does a part of what several services alike do together. A cluster
	// runs those as one Indexed Job. The zero Share: it does all of it.
	Share Share
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

// Share is the part that a service has of what several do together. Their Specs are alike but
// for their names and configurations, nobody calls them by their names, and they are started at once.
type Share struct {
	Of    string // what they are called together; empty: it is one by itself
	Index int    // which of them it is, from 0
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

// Endpoint is a service of a system that runs already, as it was found.
type Endpoint struct {
	Service string
	URL     string // where load and harness call it
	Inside  string // where its neighbours call it; "" where that is unknown
	Is      string // what it is, in words: the container auth_1
	// Logged says that its log is followed; Tells, that this has the form of history.Line: it
	// tells what it fetches, takes, emits and publishes.
	Logged, Tells bool
	// Replica gives the URL and name of the next replica of a service whose replicas have addresses of
	// their own; nil: they share one.
	Replica func() (url, name string)
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
