package lint

import (
	"errors"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// FuzzCompose reads anything as a compose file: it is refused with a position,
// or its services have names and places.
func FuzzCompose(f *testing.F) {
	for _, seed := range []string{
		"x-common: &common {restart: always}\nservices:\n  auth:\n    ports: !override [\"8080:8080\"]\n  reports:\n    <<: *common\n    image: acme/reports:2\n",
		"x0: &x0 [a, a]\nx1: &x1 [*x0, *x0]\nservices: {web: {environment: *x1}}",
		"services: {<<: [*a, *b]}", "services: {a: !reset null, b: !x}", "services: {1: {}, ~: {}}", "services: &s {a: *s}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		document, err := source.ParseForeign("compose.yaml", []byte(text))
		if err != nil {
			if _, ok := errors.AsType[source.Problem](err); !ok {
				t.Errorf("got %v, want a problem with a position", err)
			}
			return
		}
		services, err := ComposeServices(document)
		if err != nil {
			return
		}
		for _, s := range services {
			if s.Line < 1 || s.Column < 1 {
				t.Errorf("service %q: got position %s, want a line and a column", s.Name, s.Position)
			}
		}
	})
}
