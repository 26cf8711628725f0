package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// mounted is a small disk, where this user may make one.
func mounted(t *testing.T, size string) string {
	t.Helper()
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "none", disk).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %s", bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("unmount: %s", out)
		}
	})
	return disk
}

// TestJudgeOnAFullDisk judges a saved run where no report can be written: the
// verdict is told all the same, and no report that is not there.
func TestJudgeOnAFullDisk(t *testing.T) {
	saved, outcome := savedRun(t, "jwt-signing-key/healthy")
	dir := mounted(t, "2m")
	for _, name := range []string{harness.EventsFile, "result.json"} {
		data, err := os.ReadFile(filepath.Join(saved, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs([]string{"judge", dir})
	root.SetOut(&out)
	root.SetErr(&out)
	err = root.ExecuteContext(t.Context())
	if code := exitCode(err); code != exitCannot || !strings.Contains(message(err), "no space left on device") {
		t.Errorf("got exit code %d and %q, want %d and that the disk is full", code, message(err), exitCannot)
	}
	if told := out.String(); !strings.Contains(told, strings.SplitN(string(outcome.Verdict.Why), "\n", 2)[0]) || strings.Contains(told, "report.html") {
		t.Errorf("got %q, want the verdict without the path of a report", told)
	}
}
