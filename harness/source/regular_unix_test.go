//go:build unix

package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestOnlyFilesAreRead: whoever opens a pipe that nobody writes to waits for
// ever, and this test with it.
func TestOnlyFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{pipe: "a device or pipe", "/dev/zero": "a device or pipe", dir: "a directory"}
	if runtime.GOOS == "linux" {
		refused["/proc/self/stat"] = "a view into the kernel" // as /proc/kmsg, which has no end
		refused["/sys/kernel/mm/transparent_hugepage/enabled"] = "a view into the kernel"
	}
	for path, want := range refused {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			t.Logf("this machine has no %s", path)
			continue
		}
		if _, err := ReadFile(path, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %s: got %v, want that it is %s", path, err, want)
		}
		if _, err := ReadIn(os.DirFS(filepath.Dir(path)), filepath.Base(path), 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %s in its folder: got %v, want that it is %s", path, err, want)
		}
		if _, err := Read(os.DirFS(filepath.Dir(path)), filepath.Base(path), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse %s: got %v, want that it is %s", path, err, want)
		}
	}
	if text, err := ReadFile(file, 4); err != nil || string(text) != "text" {
		t.Errorf("read a file: got %q, %v", text, err)
	}
	if _, err := ReadFile(file, 3); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("read a file of 4 bytes, 3 at most: got %v, want that it is larger", err)
	}
	// It takes no room on a disk, and all of a machine's memory where it is read whole.
	if err := os.Truncate(file, 1<<40); err != nil {
		t.Skip(err)
	}
	if _, err := ReadIn(os.DirFS(dir), "file", MaxBytes); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("read a file of 1 TiB: got %v, want that it is larger than 1 MiB", err)
	}
}
