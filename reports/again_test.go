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

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"a/b-1.yaml": "a/b-1.yaml", "": "''", "two words": "'two words'", "$(rm -rf .)": "'$(rm -rf .)'", "it's": `'it'\''s'`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}
