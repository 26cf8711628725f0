package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAHugeUnfinishedFileIsRefused: one of 1 TiB takes no room on a disk, and all of a machine's memory
// where it is read whole.
func TestAHugeUnfinishedFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, unfinishedFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(1 << 40); err != nil {
		t.Skip(err)
	}
	if _, err := ReadUnfinished(dir); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("got %v, want that it is larger than 1 MiB", err)
	}
}
