package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// said is what a command line ends with and prints, errors among it.
func said(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return exitCode(err), out.String() + message(err)
}

// What is wrong with an argument is said in words, with what would be right.
func TestUsageTexts(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	page := "../../scenarios/jwt-signing-key/runbook.yaml"
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	request := file("audit.log", `{"type":"request","request":{"operation":"read","path":"secret/data/other"}}`+"\n")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plan", "--speed", "0"}, exitUsage, "--speed: 0 is not more than 0"},
		{[]string{"plan", "--speed", "-1"}, exitUsage, "--speed: -1 is not more than 0"},
		{[]string{"plan", page}, exitUsage, "`rehearse lint` holds pages"},
		{[]string{"lint", empty}, exitUsage, "no page or scenario at " + empty},
		{[]string{"run", "--runtime", "process", "--ui", "plain", "--out", filepath.Join(dir, "run"), "incidents/istio"}, exitUsage, "incidents/istio can be simulated only"},
		{[]string{"test", "--runtime", "process", "--out", filepath.Join(dir, "test"), "incidents/istio"}, 0, "1 of 1 as expected"}, // simulated all the same
		{[]string{"judge", empty}, exitUsage, empty + " is no run folder"},
		{[]string{"report", empty}, exitUsage, "what `rehearse run` writes"},
		{[]string{"compare", empty, empty}, exitUsage, "is no run folder"},
		{[]string{"lint", "--audit", file("empty.log", ""), page}, exitUsage, "no line of it is one of a Vault audit device"},
		{[]string{"lint", "--audit", file("other.log", "hello\n{\"type\":\"response\"}\n"), page}, exitUsage, "no line of it is one of a Vault audit device"},
		{[]string{"lint", "--audit", request, page}, 0, "nothing found in 1 file"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			code, text := said(t, tt.args...)
			if code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("got %d: %s; want %d and %q", code, text, tt.code, tt.want)
			}
			if strings.Contains(text, `["`) {
				t.Errorf("got %s, want no list as Go writes it", text)
			}
		})
	}
}

// One page that is invalid does not hide the others.
func TestInventoryWithAnInvalidPage(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile("../../scenarios/jwt-signing-key/runbook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"good.yaml": string(good), "bad.yaml": "apiVersion: rehearse/v1\nkind: Runbook\nscope: {nonsense: true}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, text := said(t, "inventory", dir, "--runs", t.TempDir())
	if code != exitUsage || !strings.Contains(text, "session-signing-key") || !strings.Contains(text, "bad.yaml:") {
		t.Errorf("got %d: %s; want %d, the good page listed and the bad one named", code, text, exitUsage)
	}
}
