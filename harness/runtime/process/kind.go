package process

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Kind is this way to run services, which is there on every machine.
func Kind() launch.Kind {
	return launch.Kind{
		Name: name, Commands: true, Auto: true,
		Open: func(_ context.Context, s launch.Settings) (world.Runtime, string, error) {
			return New(s.Executable, s.Options), "processes of this machine", nil
		},
	}
}
