package harness

import (
	"fmt"
	"os/exec"
	"path/filepath"
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
		if !s.Own() || s.NeedsImage() || len(s.Command) == 0 || strings.Contains(s.Command[0], "{{") {
			continue
		}
		program := s.Command[0]
		if strings.ContainsRune(program, filepath.Separator) && !filepath.IsAbs(program) {
			program = filepath.Join(filepath.Dir(p.File), program) // where it is started
		}
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		problems = append(problems, problemAt(p, "services."+s.Name+".command[0]",
			"a path is relative to the folder of the scenario, a name is looked for in PATH", "there is no program %q on this machine", s.Command[0]))
	}
	return problems.Err()
}

// problemAt is a problem with what the scenario of a plan says at a path.
func problemAt(p *plan.Plan, path, hint, message string, args ...any) source.Problem {
	problem := source.Problem{Position: source.Position{File: p.Name}, Path: path, Message: fmt.Sprintf(message, args...), Hint: hint}
	if p.Position != nil {
		problem.Position = p.Position(path)
	}
	return problem
}
