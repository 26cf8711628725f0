package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/process"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// launchOptions are what every runtime of this run takes.
func (r *run) launchOptions() launch.Options {
	return launch.Options{
		Record: r.leftovers, Sink: r.logs.Line, Progress: r.o.Progress,
		OnExit: func(service string, err error) {
			r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindExit, Service: service, Detail: err.Error()})
		},
	}
}

// chooseRuntime makes the runtime that the options ask for, and says which it is.
func (r *run) chooseRuntime(ctx context.Context) (world.Runtime, error) {
	executable, o := r.executable(), r.launchOptions()
	image, command := r.place()
	switch {
	case image != "" && command != "":
		return nil, fmt.Errorf("%w: %s runs in a container only, and %s on this machine only", ErrNotHere, image, command)
	case image != "" && r.o.Runtime == Process:
		return nil, fmt.Errorf("%w: %s is an image, and needs --runtime docker", ErrNotHere, image)
	case command != "" && r.o.Runtime == Docker:
		return nil, fmt.Errorf("%w: %s is a command of this machine, and needs --runtime process", ErrNotHere, command)
	case command != "":
		r.o.Runtime = Process
	}
	switch r.o.Runtime {
	case Process:
		return process.New(executable, o), nil
	case Auto, Docker:
		d, err := docker.New(ctx, executable, o)
		if err == nil {
			r.docker = d
			r.o.Progress("services run in containers: " + d.Engine())
			return d, nil
		}
		if r.o.Runtime == Docker || !errors.Is(err, docker.ErrNoEngine) {
			return nil, fmt.Errorf("use the docker runtime: %w", err)
		}
		if image != "" {
			return nil, fmt.Errorf("%w: %s is an image: %w", ErrNotHere, image, err)
		}
		r.o.Progress("services run as processes: no container engine answers")
		return process.New(executable, o), nil
	}
	return nil, fmt.Errorf("unknown runtime %q: want %s, %s or %s", r.o.Runtime, Auto, Process, Docker)
}

// place is the first service of a team's own that runs in containers only, and
// the first that runs on this machine only.
func (r *run) place() (image, command string) {
	for _, s := range r.plan.Services {
		switch {
		case !s.Own():
		case s.NeedsImage():
			image = cmp.Or(image, s.Name)
		default:
			command = cmp.Or(command, s.Name)
		}
	}
	return image, command
}
