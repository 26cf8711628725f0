package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// aProject is a compose file as people write them: with anchors, merge keys and tags.
const aProject = `x-common: &common
  restart: always
  environment: {JWKS_URL: "http://auth:8080/.well-known/jwks.json"}
services:
  auth:
    image: acme/auth:1.4
    ports: !override ["8080:8080"]
  reports:
    <<: *common
    image: acme/reports:2
    command: [serve, --port, "8080"]
`

func TestComposeServices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(path, []byte(aProject), 0o600); err != nil {
		t.Fatal(err)
	}
	services, err := composeServices(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	want := []lint.ProjectService{
		{Position: source.Position{File: path, Line: 5, Column: 3}, Name: "auth", Settings: []string{"acme/auth:1.4", "8080:8080"}},
		{Position: source.Position{File: path, Line: 8, Column: 3}, Name: "reports",
			Settings: []string{"always", "http://auth:8080/.well-known/jwks.json", "acme/reports:2", "serve", "--port", "8080"}},
	}
	if !slices.EqualFunc(services, want, func(a, b lint.ProjectService) bool {
		return a.Position == b.Position && a.Name == b.Name && slices.Equal(a.Settings, b.Settings)
	}) {
		t.Errorf("got %+v, want %+v", services, want)
	}
}

// bomb is a small file that would be a thousand million values, were its aliases
// written out.
func bomb() string {
	var b strings.Builder
	fmt.Fprintln(&b, "x0: &x0 [a, a, a, a, a, a, a, a, a, a]")
	for i := range 9 {
		alias := fmt.Sprintf("*x%d", i)
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i+1, i+1, strings.Join(slices.Repeat([]string{alias}, 10), ", "))
	}
	return b.String() + "services: {web: {environment: *x9}}\n"
}

func TestComposeFilesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an alias bomb", bomb(), ":5:9: more than 100000 values, counting aliases as often as they are used"},
		{"more than a file has", "services: {web: {image: " + strings.Repeat("a", source.MaxBytes) + "}}", ": is larger than 1 MiB"},
		{"no services", "version: '3'\n", ":1:1: the compose file has no services (services: {NAME: …})"},
		{"a list", "- services\n", ":1:1: the compose file has no services"},
		{"not YAML", "services: {web: [", ":1:17: "},
		{"a binary file", "services:\x00", ":1:10: a binary file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "compose.yaml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := composeServices(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), path+tt.want) || exitCode(err) != exitUsage {
				t.Errorf("got %v with exit code %d, want %s%s with exit code %d", err, exitCode(err), path, tt.want, exitUsage)
			}
		})
	}
	_, err := composeServices(t.Context(), t.TempDir()+"/")
	if err == nil || exitCode(err) != exitUsage {
		t.Errorf("a folder: got %v, want an error of usage", err)
	}
}
