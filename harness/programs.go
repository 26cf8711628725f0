package harness

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// missingPrograms says which services of a team's own are programs of this
// machine that are not on it, by the place in the scenario that names each:
// before anything is started. The error is source.Problems.
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

// onMachine reports whether there is a program; what a word stands for is not known yet.
func onMachine(p *plan.Plan, program string) bool {
	if strings.Contains(program, "{{") {
		return true
	}
	if strings.ContainsRune(program, filepath.Separator) && !filepath.IsAbs(program) {
		program = filepath.Join(filepath.Dir(p.File), program) // where it is started
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
