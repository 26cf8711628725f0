// Package runtime has the ways in which services can be run.
package runtime

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/process"
)

// Kinds are all that there are, in the order in which they are tried where nobody says
// which: a new one is a folder beside this file, and its line here.
func Kinds() []launch.Kind {
	return []launch.Kind{
		docker.Kind(),
		process.Kind(),
		kubernetes.Kind(),
	}
}

// Names are those of Kinds.
func Names() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// Of is the kind of a name.
func Of(name string) (launch.Kind, bool) {
	kinds := Kinds()
	if i := slices.IndexFunc(kinds, func(k launch.Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i], true
	}
	return launch.Kind{}, false
}
