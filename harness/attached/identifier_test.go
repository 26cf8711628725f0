package attached_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// TestMakePrintsNoIdentifier: a value or a chatty line in the place of an identifier ends the step make,
// in words that quote neither it nor what was printed before; and the log of the steps has no value.
func TestMakePrintsNoIdentifier(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	for name, tt := range map[string]struct{ current, make, value, says string }{
		"an identifier":            {"echo one", "echo done; echo two", "echo " + value + "$1", ""},
		"its value":                {"echo one", "echo " + value, "echo " + value, "it printed a value where the identifier is wanted"},
		"the value of that in use": {"echo one", "echo " + value + "one", "echo " + value + "$1", "it printed a value where the identifier is wanted"},
		"a line with its value":    {"echo one", "echo made; echo two; echo the key is " + value, "echo " + value, "it printed lines (3), of which the last has several words (4)"},
		"no value can be had yet":  {"echo one", "echo two", "[ $1 = one ] && echo " + value, ""},
		"current prints its value": {"echo " + value, "echo two", "echo " + value, "attach.current: it printed a value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := strings.NewReplacer("jwt-signing-key", "api-key", "jwks, jwks: /jwks", "file", "canary, logs", "availability", "{type: ES256, identifier: kid, longest_life: 10m}", "{type: bearer, identifier: tag}",
				"  - {name: auth, roles: [emit], refresh: 1s}\n  - {name: search, roles: [validate], library: jwx}\n", "  - {name: shop, roles: [emit], refresh: 1s}\n").Replace(page)
			sh := func(script string) string { return `{command: [sh, -c, "` + script + `", sh` }
			text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\nattach:\n  urls: {db: \"http://127.0.0.1:1\", shop: \"http://127.0.0.1:1\"}\n" +
				"  current: " + sh(tt.current) + "]}\n  value: " + sh(tt.value) + `, "{{ .identifier }}"]}` + "\n" +
				"  present: {db: {path: /, headers: {X-Key: \"{{ .value }}\"}}}\n  decisions: {db: {file: log, accepted: 'ok (?P<identifier>\\S+)', refused: 'no (?P<identifier>\\S+)'}}\n" +
				"  steps:\n    make: " + sh(tt.make) + "]}\n    accept: {command: [\"true\"]}\n    emit: {command: [\"true\"]}\n    revoke: {command: [\"true\"]}\n    restore: {command: [\"true\"]}\n    withdraw: {command: [\"true\"]}\n" +
				"services: {db: {}, shop: {agent: orders-app}}\nload: [{client: web, to: shop, rate: 1/s}]\n"
			loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Build(loaded, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var logged strings.Builder
			s, err := attached.New(p, []world.Endpoint{{Service: "db", URL: "http://127.0.0.1:1"}, {Service: "shop", URL: "http://127.0.0.1:1"}},
				attached.Options{Dir: t.TempDir(), Log: func(line string) { logged.WriteString(line + "\n") }})
			if err != nil {
				t.Fatal(err)
			}
			identifier, err := s.Make(t.Context(), "k1")
			if err == nil {
				identifier, err = s.Make(t.Context(), "k2")
			}
			switch {
			case tt.says == "" && (err != nil || identifier != "two"):
				t.Errorf("got %q, %v; want two", identifier, err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
				t.Errorf("got %q, %v; want an error that says %q", identifier, err, tt.says)
			case strings.Contains(logged.String(), value) || err != nil && strings.Contains(err.Error(), value):
				t.Errorf("the value is in the error %v or in what is logged: %q", err, logged.String())
			case tt.says != "" && s.Identifier("k2") != "":
				t.Errorf("it is known as %q, want it to have no name", s.Identifier("k2"))
			}
		})
	}
}
