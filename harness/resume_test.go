package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	runs := t.TempDir()
	if _, err := leftover.Create(runs, "alive"); err != nil { // of this process
		t.Fatal(err)
	}
	as := func(change func(*Unfinished)) Unfinished {
		u := Unfinished{Run: "dead", ScenarioDigest: p.ScenarioDigest, RunbookDigest: p.RunbookDigest, Runtime: Process, Store: "embedded"}
		change(&u)
		return u
	}
	for _, tt := range []struct {
		name string
		u    Unfinished
		at   string // the Vault that the options name
		want error
	}{
		{"a run whose harness lives", as(func(u *Unfinished) { u.Run = "alive" }), "", ErrAlive},
		{"a page that was changed", as(func(u *Unfinished) { u.RunbookDigest = "another" }), "", ErrChanged},
		{"a store that died with its run", as(func(*Unfinished) {}), "", ErrGone},
		{"a store whose token died with its run", as(func(u *Unfinished) { u.VaultAddr = "http://127.0.0.1:1" }), "http://127.0.0.1:1", ErrGone},
		{"a Vault that nobody named again", as(func(u *Unfinished) { u.VaultAddr = "http://127.0.0.1:1" }), "", ErrOtherVault},
		{"another Vault than was named", as(func(u *Unfinished) { u.VaultAddr = "http://127.0.0.1:1" }), "http://127.0.0.1:2", ErrOtherVault},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Resume(t.Context(), p, &tt.u, t.TempDir(), ResumeOptions{Runs: runs, VaultAddr: tt.at}); !errors.Is(err, tt.want) {
				t.Errorf("error: got %v, want one that is %v", err, tt.want)
			}
		})
	}
}

// A history is replaced by a whole one only.
func TestReplace(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for name, tt := range map[string]struct {
		writing error
		close   bool // before
		want    string
	}{
		"all was written":    {nil, false, "new"},
		"not all was":        {full, false, "old"},
		"it cannot be ended": {nil, true, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), EventsFile)
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := os.Create(path + ".new")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteString("new"); err != nil {
				t.Fatal(err)
			}
			if tt.close {
				file.Close()
			}
			if err := replace(path, file, tt.writing); (err == nil) != (tt.want == "new") || tt.writing != nil && !errors.Is(err, tt.writing) {
				t.Errorf("got error %v", err)
			}
			if got, err := os.ReadFile(path); string(got) != tt.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what was written: got %v, want it gone", err)
			}
		})
	}
}
