package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// launchOptions are the options of every runtime of this run.
func (r *run) launchOptions() launch.Options {
	return launch.Options{
		Record: r.leftovers, Progress: r.o.Progress,
		Sink: func(service string, line []byte) {
			r.logs.LineOf(r.names.Whole(service), r.names.Replica(service), line)
		},
		OnExit: func(service string, err error) {
			r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindExit, Service: r.names.Whole(service), Replica: r.names.Replica(service), Detail: err.Error()})
			r.loadEnded(service, err)
		},
	}
}

// chooseRuntime makes the runtime that the options ask for, and prints which it is.
func (r *run) chooseRuntime(ctx context.Context) (world.Runtime, error) {
	image, command := r.place()
	if image != "" && command != "" {
		return nil, fmt.Errorf("%w: %s runs in a container only, and %s on this machine only", ErrNotHere, image, command)
	}
	settings := launch.Settings{Options: r.launchOptions(), Place: r.o.Place, Executable: r.executable()}
	var none error
	for _, k := range runtime.Kinds() {
		switch asked := r.o.Runtime == k.Name; {
		case !asked && !(r.o.Runtime == Auto && k.Auto):
			continue
		case asked && k.Commands && image != "":
			return nil, fmt.Errorf("%w: %s is an image, and needs --runtime docker", ErrNotHere, image)
		case asked && k.Images && command != "":
			return nil, fmt.Errorf("%w: %s is a command of this machine, and needs --runtime process", ErrNotHere, command)
		case k.Images && command != "":
			continue
		case k.Commands && image != "":
			return nil, fmt.Errorf("%w: %s is an image: %w", ErrNotHere, image, none)
		case none != nil:
			r.o.Progress("services run as processes: no container engine answers")
		}
		opened, where, err := k.Open(ctx, settings)
		switch {
		case err == nil:
			r.o.Runtime = k.Name
			if r.images, _ = opened.(world.Imager); r.images != nil {
				r.o.Progress("services run in " + where)
			}
			return opened, nil
		case r.o.Runtime != Auto || !errors.Is(err, launch.ErrUnavailable):
			return nil, fmt.Errorf("use the %s runtime: %w", k.Name, err)
		}
		none = errors.Join(none, err)
	}
	if none != nil {
		return nil, none
	}
	return nil, fmt.Errorf("unknown runtime %q: want %s or one of %s", r.o.Runtime, Auto, strings.Join(runtime.Names(), ", "))
}

// place is the first external service that needs containers, and the first that needs this machine.
func (r *run) place() (image, command string) {
	for _, s := range r.plan.Services {
		switch {
		case !s.External():
		case s.NeedsImage():
			image = cmp.Or(image, s.Name)
		default:
			command = cmp.Or(command, s.Name)
		}
	}
	return image, command
}
