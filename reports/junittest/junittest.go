// Package junittest holds JUnit files against the schemas that CI systems check
// them with.
package junittest

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// requireVariable is the environment variable with which a machine says that it
// has xmllint: without it the check must fail, not be skipped.
const requireVariable = "REHEARSE_REQUIRE_XMLLINT"

//go:embed ant.xsd jenkins.xsd
var schemas embed.FS

// Problems holds a JUnit file against a schema, ant.xsd or jenkins.xsd, and
// returns what xmllint says of it; nothing: it is valid. Without xmllint (of
// libxml2-utils) the test is skipped, or fails where the machine says that it
// has it.
func Problems(t *testing.T, schema string, data []byte) string {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv(requireVariable) != "" {
			t.Fatalf("%s is set: %v", requireVariable, err)
		}
		t.Skipf("xmllint holds files against their schema (Debian: libxml2-utils): %v", err)
	}
	dir := t.TempDir()
	text, err := schemas.ReadFile(schema)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{schema: text, "junit.xml": data} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(xmllint, "--nonet", "--noout", "--schema", schema, "junit.xml")
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err == nil {
		return ""
	}
	return strings.TrimSpace(string(out)) + ": " + err.Error()
}

// Validate fails a test where a JUnit file breaks one of the schemas.
func Validate(t *testing.T, data []byte) {
	t.Helper()
	for _, schema := range []string{"ant.xsd", "jenkins.xsd"} {
		if problems := Problems(t, schema, data); problems != "" {
			t.Errorf("the JUnit file breaks %s:\n%s\nin\n%s", schema, problems, data)
		}
	}
}
