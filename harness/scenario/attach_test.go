package scenario_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestMentionsAreWords fills in what an act mentions as settings of services are filled in.
func TestMentionsAreWords(t *testing.T) {
	fill := func(m scenario.Mention) string { return m.Name + `"` + m.Part }
	for text, want := range map[string]string{
		"{{ .identifier }}":                   `identifier"`,
		"{{.auth.url}}/healthz":               `auth"url/healthz`,
		`{"key": {{ .value | json }}}`:        `{"key": "value\""}`,
		"{{ .identifier":                      "{{ .identifier",
		"docker inspect -f '{{json .State}}'": "docker inspect -f '{{json .State}}'",
	} {
		if got := scenario.ReplaceMentions(text, fill); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
