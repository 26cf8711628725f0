package atomicfile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWriteReplacesAtOnce(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "billing")
	// Long enough that a reader could meet half of one.
	contents := [][]byte{bytes.Repeat([]byte("a"), 1<<16), bytes.Repeat([]byte("b"), 1<<16)}
	if err := Write(folder, "secret.json", contents[0]); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := os.ReadFile(filepath.Join(folder, "secret.json"))
				// Between the resolving of the link and the opening the old
				// version may go: a reader then reads again, as with the kubelet.
				if err != nil && !os.IsNotExist(err) {
					t.Error(err)
				}
				if err == nil && !bytes.Equal(got, contents[0]) && !bytes.Equal(got, contents[1]) {
					t.Errorf("a reader got %d bytes of neither content", len(got))
				}
			}
		})
	}
	for i := range 200 {
		if err := Write(folder, "secret.json", contents[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	reading.Wait()
}

func TestWriteKeepsNothingOld(t *testing.T) {
	folder := t.TempDir()
	for _, content := range []string{"old", "new"} {
		if err := Write(folder, "secret.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "old") {
			t.Errorf("%s still has what was replaced", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(folder, "secret.json")); err != nil || string(got) != "new" {
		t.Errorf("got %q, %v; want new", got, err)
	}
}

// TestOthersCanRead: in a container the reader is another user.
func TestOthersCanRead(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "billing")
	if err := Write(folder, "secret.json", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{folder: folderMode, filepath.Join(folder, "secret.json"): fileMode} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %v, want %v", path, got, want)
		}
	}
}

func TestErrorsNameThePath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Write(filepath.Join(file, "below"), "secret.json", []byte("the value"))
	if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "the value") {
		t.Errorf("got %v, want the path and nothing of the content", err)
	}
}
