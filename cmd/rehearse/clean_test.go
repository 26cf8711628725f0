package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// TestCleanOfAVaultThatIsNotNamed tells what a dead run left there, and does not say by
// its exit code that all is clean.
func TestCleanOfAVaultThatIsNotNamed(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(cache, "no-engine.sock"))
	dead := exec.Command("rehearse", "--version")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	runs := leftover.DefaultDir()
	if err := leftover.MakePrivate(runs); err != nil {
		t.Fatal(err)
	}
	clean := func() (string, int) {
		out, err := exec.Command("rehearse", "clean").CombinedOutput()
		return string(out), exitStatus(err)
	}
	if out, code := clean(); code != 0 || !strings.Contains(out, "nothing to remove") {
		t.Errorf("of nothing: got %q and code %d, want nothing to remove and 0", out, code)
	}
	record, err := json.Marshal(map[string]any{
		"run": "over", "host": leftover.Host(), "harness": leftover.Identity{PID: dead.Process.Pid, Start: "long ago"}, "started_at": "2026-11-23T02:00:00Z",
		"vault": leftover.Vault{Address: "http://v:8200", Mount: "rehearse-over"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(runs, "over.json"), record, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := clean()
	if code != exitCannot || !strings.Contains(out, "the mount rehearse-over") || !strings.Contains(out, "--vault-addr http://v:8200") || !strings.Contains(out, "of 1 run something is still in a Vault") {
		t.Errorf("got %q and code %d, want what is left, what removes it, and %d", out, code, exitCannot)
	}
}
