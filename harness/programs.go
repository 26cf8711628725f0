package harness

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Missing reports what a rehearsal of a plan would lack on this machine: programs, where the runtime has
// no images that could hold them, and variables of the shell. The error is source.Problems.
func Missing(p *plan.Plan, runtimeName string) error {
	if k, _ := runtime.Of(runtimeName); !k.Images {
		if err := missingPrograms(p); err != nil {
			return err
		}
	}
	return missingVariables(p)
}

// missingPrograms reports the external services that are programs which this machine does not have, by
// their place in the scenario, before anything is started. The error is source.Problems.
func missingPrograms(p *plan.Plan) error {
	var problems source.Problems
	for _, s := range p.Services {
		if !s.External() || s.NeedsImage() {
			continue
		}
		commands := map[string][]string{"command[0]": s.Command}
		for i, command := range s.Init {
			commands[fmt.Sprintf("init[%d][0]", i)] = command
		}
		for _, at := range slices.Sorted(maps.Keys(commands)) {
			if command := commands[at]; len(command) > 0 && !onMachine(p, command[0]) {
				problems = append(problems, problemAt(p, "services."+s.Name+"."+at,
					"a path is relative to the folder of the scenario, a name is looked for in PATH", "there is no program %q on this machine", command[0]))
			}
		}
	}
	return problems.Err()
}

// onMachine reports whether a program can be found; a name with a word in it is not known yet.
func onMachine(p *plan.Plan, program string) bool {
	if strings.Contains(program, "{{") {
		return true
	}
	if strings.ContainsRune(program, filepath.Separator) && !filepath.IsAbs(program) {
		// Where it is started. Joined to "." it would be a bare name, and looked for in PATH.
		program = filepath.Dir(p.File) + string(filepath.Separator) + program
	}
	_, err := exec.LookPath(program)
	return err == nil
}

// problemAt is a problem with what the scenario of a plan says at a path.
func problemAt(p *plan.Plan, path, hint, message string, args ...any) source.Problem {
	problem := source.Problem{Position: source.Position{File: p.Name}, Path: path, Message: fmt.Sprintf(message, args...), Hint: hint}
	if p.Position != nil {
		problem.Position = p.Position(path)
	}
	return problem
}
