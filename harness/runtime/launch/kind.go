package launch

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// ErrUnavailable is in the chain of errors that mean: what a kind of runtime runs on
// does not answer on this machine, a container engine or a cluster.
var ErrUnavailable = errors.New("not available")

// Kind is one way in which services can be run.
type Kind struct {
	Name string // under which it is asked for: docker
	// Images says that it runs images and nothing else of a team's own, and Commands that
	// it runs programs of this machine and no images.
	Images, Commands bool
	// Auto says that it is taken where nobody says which, if it is available.
	Auto bool
	// Open makes a runtime, and says in words where services will run; ErrUnavailable.
	Open func(ctx context.Context, s Settings) (r world.Runtime, where string, err error)
	// Adopt finds what still runs of a run whose harness is dead; nil: it has died with it.
	Adopt func(ctx context.Context, run string, at Place) (map[string]Adopted, error)
	// Leftovers are what dead runs have left there; nil: leftover knows by itself.
	Leftovers func(at Place) leftover.Engine
	// Build makes images ahead of the runs that need them; ErrUnavailable. Nil: it makes none.
	Build func(ctx context.Context, builds []world.Build, progress func(string)) error
}

// Place says where services are to run, of kinds that have several places.
type Place struct {
	Context string // of the kubeconfig; "": the current one
	Image   string // of rehearse, which the cluster has or can pull; "": the released one
}

// Settings are what a runtime is made with.
type Settings struct {
	Options
	Place
	// Executable is a rehearse binary, from which stand-ins are run.
	Executable string
}

// Adopted is a service of a run whose harness is dead.
type Adopted struct {
	// URL is its address as this machine has it; empty: it has no port.
	URL string
	// Config is what it was told at its start, where it is a stand-in, and
	// Environment what all have that run in containers. They may hold secrets.
	Config      []byte // JSON
	Environment map[string]string
}
