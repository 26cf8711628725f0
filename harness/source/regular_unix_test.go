//go:build unix

package source

import (
	"os"
	"path/filepath"
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
	for path, want := range map[string]string{pipe: "a device or pipe", "/dev/zero": "a device or pipe", dir: "a directory"} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %s: got %v, want that it is %s", path, err, want)
		}
		if err := CheckRegular(os.DirFS(filepath.Dir(path)), filepath.Base(path)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check %s: got %v, want that it is %s", path, err, want)
		}
		if _, err := Read(os.DirFS(filepath.Dir(path)), filepath.Base(path), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse %s: got %v, want that it is %s", path, err, want)
		}
	}
	if text, err := ReadFile(file); err != nil || string(text) != "text" {
		t.Errorf("read a file: got %q, %v", text, err)
	}
}
