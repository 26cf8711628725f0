package docker

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Kind is this way to run services: on the container engine of this machine.
func Kind() launch.Kind {
	return launch.Kind{
		Name: name, Images: true, Auto: true,
		Open: func(ctx context.Context, s launch.Settings) (world.Runtime, string, error) {
			r, err := New(ctx, s.Executable, s.Options)
			if err != nil {
				return nil, "", err
			}
			return r, "containers: " + r.Engine(), nil
		},
		Adopt: func(ctx context.Context, run string, _ launch.Place) (map[string]launch.Adopted, error) {
			return Adopt(ctx, run)
		},
		Leftovers: func(launch.Place) leftover.Engine { return Leftovers{} },
		Build:     BuildImages,
	}
}
