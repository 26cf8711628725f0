//go:build unix

package leftover

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPlantedEntryIsNotBelieved plants entries as another user could in a folder
// that is shared: nothing that they name is touched.
func TestPlantedEntryIsNotBelieved(t *testing.T) {
	plants := map[string]func(t *testing.T, file string){
		"writable by others": func(t *testing.T, file string) { must(t, os.Chmod(file, 0o666)) },
		"a symbolic link": func(t *testing.T, file string) {
			must(t, os.Rename(file, file+".real"))
			must(t, os.Symlink(file+".real", file))
		},
		"a pipe": func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, syscall.Mkfifo(file, 0o600))
		},
		"a folder":    func(t *testing.T, file string) { must(t, os.Remove(file)); must(t, os.Mkdir(file, 0o700)) },
		"without end": func(t *testing.T, file string) { must(t, os.Truncate(file, maxRecord+1)) },
		"of another run": func(t *testing.T, file string) {
			must(t, os.Rename(file, filepath.Join(filepath.Dir(file), "other.json")))
		},
		"of another user":     func(t *testing.T, file string) { needRoot(t); must(t, os.Chown(file, 12345, 12345)) },
		"in another's folder": func(t *testing.T, file string) { needRoot(t); must(t, os.Chown(filepath.Dir(file), 12345, 12345)) },
		"in a folder of all":  func(t *testing.T, file string) { must(t, os.Chmod(filepath.Dir(file), 0o777)) },
	}
	for name, plant := range plants {
		t.Run(name, func(t *testing.T) {
			dir, folder := filepath.Join(t.TempDir(), "runs"), filepath.Join(t.TempDir(), "rehearse-over-1")
			must(t, os.Mkdir(folder, 0o700))
			_, victim := sleeper(t)
			bequeath(t, dir, "over", func(s *state) {
				s.Harness, s.Folders, s.Processes = dead(t), []string{folder}, []Identity{victim}
			})
			plant(t, filepath.Join(dir, "over.json"))
			report, err := Sweep(t.Context(), dir, Places{})
			if err == nil || len(report.Removed) != 0 || !victim.Alive() {
				t.Errorf("got %+v, %v; want an error, and nothing removed", report, err)
			}
			if _, err := os.Stat(folder); err != nil {
				t.Errorf("the folder that it names: %v; want it there", err)
			}
			if !strings.HasPrefix(name, "in a") {
				return
			}
			if _, err := Create(dir, "another"); !errors.Is(err, ErrNotOurs) {
				t.Errorf("a run that would be recorded there: got %v, want %v", err, ErrNotOurs)
			}
		})
	}
}

func TestTrusted(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	must(t, os.Mkdir(open, 0o700))
	must(t, os.Chmod(open, 0o777)) // past the umask
	if err := MakePrivate(filepath.Join(open, "rehearse", "runs")); !errors.Is(err, ErrNotOurs) {
		t.Errorf("below a folder that all can write: got %v, want %v", err, ErrNotOurs)
	}
	must(t, os.Chmod(open, 0o777|os.ModeSticky))
	if err := MakePrivate(filepath.Join(open, "rehearse", "runs")); err != nil {
		t.Errorf("below a folder as /tmp is: %v", err)
	}
	needRoot(t)
	must(t, os.Lchown(filepath.Join(open, "rehearse"), 12345, 12345))
	if err := MakePrivate(filepath.Join(open, "rehearse", "runs")); !errors.Is(err, ErrNotOurs) {
		t.Errorf("below a folder of another user: got %v, want %v", err, ErrNotOurs)
	}
	must(t, os.Symlink("/etc", filepath.Join(open, "link")))
	must(t, os.Lchown(filepath.Join(open, "link"), 12345, 12345))
	if err := MakePrivate(filepath.Join(open, "link", "rehearse-of-a-test")); !errors.Is(err, ErrNotOurs) {
		t.Errorf("below another user's link to a folder of root: got %v, want %v", err, ErrNotOurs)
	}
}

func TestCacheDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	if got, want := CacheDir(), filepath.Join(home, "rehearse"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got := CacheDir(); !strings.HasPrefix(got, filepath.Join(os.TempDir(), "rehearse-")) {
		t.Errorf("without a home: got %s, want one of this user's in %s", got, os.TempDir())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
}
