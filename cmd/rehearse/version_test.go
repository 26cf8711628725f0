package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestVersion(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	code, text := said(t, "--version")
	for _, want := range []string{"rehearse " + version() + "\n", runtime.Version(), fmt.Sprintf("sha256   %x\n", sha256.Sum256(data))} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("got exit code %d and %q, want 0 and %q in it", code, text, want)
		}
	}
}

// TestInstallOfARelease runs the script that the action for GitHub installs with, against
// a release that is whole, one whose archive is another than its checksums tell of, and
// one that lacks this platform.
func TestInstallOfARelease(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	archive := releaseArchive(t, "#!/bin/sh\necho released\n")
	name := fmt.Sprintf("rehearse_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name)
	for _, c := range []struct{ name, sums, wrong string }{
		{"whole", sum, ""},
		{"another archive", strings.Replace(sum, sum[:4], "0000", 1), "FAILED"},
		{"none for this platform", "", "does not tell of " + name},
	} {
		t.Run(c.name, func(t *testing.T) {
			release := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/v1.2.3/" + name:
					w.Write(archive)
				case "/v1.2.3/checksums.txt":
					fmt.Fprint(w, c.sums)
				default:
					http.NotFound(w, r)
				}
			}))
			defer release.Close()
			into := filepath.Join(t.TempDir(), "bin")
			install := exec.CommandContext(t.Context(), filepath.Join("..", "..", ".github", "action", "install.sh"), "v1.2.3", into)
			install.Env = append(os.Environ(), "REHEARSE_RELEASES="+release.URL)
			said, err := install.CombinedOutput()
			_, missing := os.Stat(filepath.Join(into, "rehearse"))
			if c.wrong != "" {
				if err == nil || missing == nil || !strings.Contains(string(said), c.wrong) {
					t.Errorf("got %v and %s, want %q, and nothing installed", err, said, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if out, err := exec.CommandContext(t.Context(), filepath.Join(into, "rehearse")).Output(); err != nil || string(out) != "released\n" {
				t.Errorf("got %q and %v from what was installed", out, err)
			}
		})
	}
}

// releaseArchive is an archive of a release in which the binary is a script.
func releaseArchive(t *testing.T, script string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "rehearse", Mode: 0o755, Size: int64(len(script))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(script)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestActionCallsWhatThereIs holds the commands of the action for GitHub against the
// command line.
func TestActionCallsWhatThereIs(t *testing.T) {
	text := guide(t, ".github/action/action.yml")
	var action struct {
		Runs struct {
			Using string
			Steps []struct{ Run, Uses, Shell string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &action); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, step := range action.Runs.Steps {
		if (step.Run == "") == (step.Uses == "") || step.Run != "" && step.Shell == "" {
			t.Errorf("got step %+v, want one that runs in a shell or uses an action", step)
		}
		for _, args := range commandLines(step.Run) {
			lines++
			if err := callable(args); err != nil {
				t.Errorf("rehearse %s: %v", strings.Join(args, " "), err)
			}
		}
	}
	if action.Runs.Using != "composite" || lines != 2 {
		t.Errorf("got an action of kind %q with %d calls, want composite and 2", action.Runs.Using, lines)
	}
}
