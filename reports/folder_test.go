package reports

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestWriteFolder(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // writing again replaces
		if err := WriteFolder(dir, failModel()); err != nil {
			t.Fatal(err)
		}
		if got, want := names(t, dir), "junit.xml report.html report.md result.json"; got != want {
			t.Errorf("got files %q, want %q", got, want)
		}
	}
	file, err := os.Open(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if m, err := ReadResult(file); err != nil || m.Scenario != failModel().Scenario {
		t.Errorf("read result.json: got %v and error %v, want the scenario back", m, err)
	}
}

func TestWriteFolderKeepsWhatItCannotReplace(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := failModel()
	m.Findings[0].BudgetSpent = math.NaN() // JSON has no such number
	err := WriteFolder(dir, m)
	if err == nil || !strings.Contains(err.Error(), "result.json") {
		t.Errorf("got error %v, want one that names result.json", err)
	}
	if got, want := names(t, dir), "junit.xml report.html report.md result.json"; got != want {
		t.Errorf("got files %q, want %q: the others, and nothing temporary", got, want)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "result.json")); err != nil || string(got) != "before" {
		t.Errorf("result.json: got %q (%v), want it as it was", got, err)
	}
}

func TestWriteFolderWithoutAFolder(t *testing.T) {
	err := WriteFolder(filepath.Join(t.TempDir(), "missing"), passModel())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v, want os.ErrNotExist", err)
	}
}

func TestWritePictures(t *testing.T) {
	dir := t.TempDir()
	written, err := WritePictures(dir, failModel())
	if err != nil {
		t.Fatal(err)
	}
	if want := "before-after.png over-time.png"; strings.Join(written, " ") != want || names(t, dir) != want {
		t.Errorf("got %q and files %q, want %q", written, names(t, dir), want)
	}
	empty := t.TempDir()
	if written, err := WritePictures(empty, inconclusiveModel()); err != nil || len(written) > 0 || names(t, empty) != "" {
		t.Errorf("of a run without attempts: got %q (%v), want no picture", written, err)
	}
	if _, err := WritePictures(filepath.Join(dir, "missing"), failModel()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: got error %v, want os.ErrNotExist", err)
	}
}
