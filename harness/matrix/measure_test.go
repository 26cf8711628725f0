package matrix

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

var (
	measure = flag.Duration("measure", 0, "measure the libraries, and bound each wait by this; 0: do not")
	only    = flag.String("only", "", "measure these libraries (a,b), and keep what is there of the others")
	starts  = flag.Int("starts", 4, "how many instances are started at a time")
)

// folder is where the images are made of, and where the matrix is kept.
const folder = "../../scenarios/jwt-signing-key/library-matrix"

// TestMeasure writes the matrix anew. It takes as long as its longest wait, and
// is run by `make matrix` only.
func TestMeasure(t *testing.T) {
	if *measure == 0 {
		t.Skip("run `make matrix`")
	}
	var chosen []string
	if *only != "" {
		chosen = strings.Split(*only, ",")
		for _, name := range chosen {
			if !slices.ContainsFunc(Libraries, func(l Library) bool { return l.Name == name }) {
				t.Fatalf("-only %s: there is no such library", name)
			}
		}
		if bound := kept(t, folder, "matrix").Bound; bound != measure.Seconds() {
			t.Fatalf("the rows that are kept were measured with a bound of %gs: measure with that, or all anew", bound)
		}
	}
	record, err := leftover.Create(t.TempDir(), fmt.Sprintf("matrix-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	first := map[string]string{}
	runtime, err := docker.New(t.Context(), os.Args[0], launch.Options{
		Record: record, ReadyWithin: 2 * time.Minute, Progress: func(what string) { t.Log(what) },
		Sink: func(service string, line []byte) {
			mu.Lock()
			defer mu.Unlock()
			if _, ok := first[service]; !ok {
				first[service] = string(line)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	lab := Lab{
		Runtime: runtime, Images: images(t), Bound: *measure, Starts: *starts, Only: chosen, Modules: modules(t), Progress: func(what string) { t.Log(what) },
		FirstLine: func(service string) string {
			mu.Lock()
			defer mu.Unlock()
			return first[service]
		},
	}
	m, err := lab.Measure(t.Context())
	if err != nil {
		t.Error(err) // what was measured is worth looking at all the same
	}
	if m == nil {
		return
	}
	if len(chosen) > 0 {
		m.Over(kept(t, folder, "matrix"))
	}
	keep(t, m, LibraryTable, folder, "matrix")
}

// images are the folders of the images, with what was built of others beside what starts it.
func images(t *testing.T) fs.FS {
	t.Helper()
	all := t.TempDir()
	if err := os.CopyFS(all, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	for _, library := range Libraries {
		if library.Folder == "" || library.Module == "" {
			continue
		}
		binary, err := os.ReadFile(filepath.Join(peers, library.Folder))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(all, library.Folder, library.Folder), binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(all)
}

// peers is where programs of others are built.
const peers = "../../.cache/peers"

// keep writes NAME.json and NAME.md, in capitals, into a folder.
func keep(t *testing.T, m *Matrix, kind Table, folder, name string) {
	t.Helper()
	var data, table bytes.Buffer
	if err := m.WriteJSON(&data); err != nil {
		t.Fatal(err)
	}
	if err := m.WriteMarkdown(&table, kind); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{name + ".json": data.Bytes(), strings.ToUpper(name) + ".md": table.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// modules tells the version of a Go module, as this repository's go.mod has it, or that of a program of others.
func modules(t *testing.T) func(path string) string {
	t.Helper()
	files, err := filepath.Glob("../../.ci/peers/*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range append([]string{"../../go.mod"}, files...) {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(file)
	}
	return func(path string) string {
		for line := range strings.Lines(all.String()) {
			if words := strings.Fields(strings.TrimPrefix(line, "require ")); len(words) >= 2 && words[0] == path {
				return words[1]
			}
		}
		return ""
	}
}

// kept is what keep wrote before.
func kept(t *testing.T, folder, name string) *Matrix {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
