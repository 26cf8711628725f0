package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// loadScenario loads what an argument names: a file, or a built-in scenario.
func loadScenario(name string) (*scenario.Loaded, error) {
	faults := scenario.WithFaults(fault.Names()...)
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil, usage(fmt.Errorf("%s is a folder: name a scenario in it, or run `rehearse test %s`", name, name))
	case err == nil:
		return scenario.LoadFile(name, faults)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, usage(fmt.Errorf("open scenario: %w", err))
	}
	builtIn, err := scenarios.List()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(builtIn, name) {
		hint := "`rehearse scenarios` lists those"
		if near, ok := source.Nearest(name, builtIn); ok {
			hint = "did you mean " + near + "?"
		} else if named := scenariosNamed(name, builtIn); len(named) > 0 {
			hint = "did you mean " + strings.Join(named, " or ") + "?"
		}
		return nil, usage(fmt.Errorf("%s is neither a file nor a built-in scenario (%s)", name, hint))
	}
	return scenario.Load(scenarios.FS, scenarios.File(name), faults)
}
