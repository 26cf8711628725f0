package harness

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

func TestMissingPrograms(t *testing.T) {
	for command, missing := range map[string]bool{
		"go": false, "no-such-program-anywhere": true, "./programs_test.go": true, "/no/such/program": true, "{{ .a.url }}": false,
	} {
		p := &plan.Plan{
			File:     "harness.yaml",
			Position: func(path string) source.Position { return source.Position{File: "harness.yaml", Line: 7, Column: 3} },
			Services: []plan.Service{{Name: "a", Service: scenario.Service{Command: []string{command}}}},
		}
		err := missingPrograms(p)
		if (err != nil) != missing {
			t.Errorf("%s: got %v, want missing: %v", command, err, missing)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "harness.yaml:7:3: services.a.command[0]: there is no program") {
			t.Errorf("%s: got %v, want its place first", command, err)
		}
	}
}
