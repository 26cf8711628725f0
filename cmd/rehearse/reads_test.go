package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unbounded are calls that wait at a pipe for ever, and read a device to an end that it has not.
var unbounded = regexp.MustCompile(`\b(os\.(Open|ReadFile)|fs\.ReadFile)\(`)

// readElsewhere are the files that may have such calls, and what they read: nothing that is named or
// given from outside. All others have harness/source read files, which looks what they are first.
var readElsewhere = map[string]string{
	"cmd/rehearse/faults.go":                     "the scenarios that are built in",
	"cmd/rehearse/serve.go":                      "its own binary",
	"cmd/rehearse/version.go":                    "its own binary",
	"fakes/standin/published_local.go":           "what the run gave it",
	"fakes/standin/published_volume.go":          "what the run gave it",
	"harness/attached/program/tree_unix.go":      "/proc",
	"harness/leak/leak.go":                       "what the run wrote",
	"harness/machine/kernel.go":                  "/proc",
	"harness/runtime/docker/image.go":            "its own binary",
	"harness/runtime/leftover/identity_linux.go": "/proc",
	"harness/peer/peer_linux.go":                 "/proc",
	"harness/runtime/leftover/private.go":        "records, which it checks itself, by owner too",
	"harness/server/segments_linux.go":           "folders that a run made for a server",
	"harness/source/regular.go":                  "files, after it has looked what they are",
	"harness/source/schema/schema.go":            "sources that are built in",
	"harness/source/schematest/schematest.go":    "golden files of tests",
	"harness/store/vaultplugin.go":               "a plugin beside the server that is started",
}

// TestFilesAreReadInOnePlace holds the sources against that list, and the list against the sources.
func TestFilesAreReadInOnePlace(t *testing.T) {
	root, found := "../..", map[string]bool{}
	for _, room := range []string{"cmd", "fakes", "harness", "reports"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return filepath.SkipDir
			case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if name, err := filepath.Rel(root, path); err == nil && unbounded.Match(text) {
				found[filepath.ToSlash(name)] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range found {
		if readElsewhere[name] == "" {
			t.Errorf("%s opens files itself: those from outside are read by source.Open, OpenIn, ReadFile and ReadIn, which refuse pipes, devices and what is too large", name)
		}
	}
	for name := range readElsewhere {
		if !found[name] {
			t.Errorf("%s opens no files any more: take it off the list", name)
		}
	}
}
