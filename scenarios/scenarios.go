// Package scenarios holds the rehearsals that are built into the binary: a
// folder for each family with its page, runbook.yaml, a healthy scenario and
// the known-bad twins that must turn red; and one of public incidents, which are
// simulated only.
package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// FS has the files of this folder: FAMILY/NAME.yaml.
//
//go:embed */*.yaml incidents/pages jwt-signing-key/library-matrix bring-your-own/till
var FS embed.FS

// Default is the scenario that is run where none is named.
const Default = "jwt-signing-key/healthy"

// page is the name of the file in each folder that is no scenario.
const page = "runbook.yaml"

// attached is the folder of the examples that rehearse what runs already: those
// services have to be brought up, and their steps are files of this repository.
const attached = "attached"

// List names the built-in scenarios, sorted: "jwt-signing-key/healthy". Examples
// that need a system that runs are none.
func List() ([]string, error) {
	files, err := fs.Glob(FS, "*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list built-in scenarios: %w", err)
	}
	var names []string
	for _, file := range files {
		if path.Base(file) != page && path.Dir(file) != attached {
			names = append(names, strings.TrimSuffix(file, ".yaml"))
		}
	}
	return names, nil
}

// File is the path in FS of a built-in scenario.
func File(name string) string { return name + ".yaml" }
