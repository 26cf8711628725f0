package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	folder := t.TempDir()
	for _, version := range []string{"14", "16"} {
		if err := os.MkdirAll(filepath.Join(folder, version, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, version, "bin", "rehearse-no-such-server"), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	installed := func(version string) string { return filepath.Join(folder, version, "bin", "rehearse-no-such-server") }
	p := Program{Name: "rehearse-no-such-server", Variable: "REHEARSE_TEST_SERVER", Require: "REHEARSE_TEST_REQUIRE", Get: "make one"}
	for _, tt := range []struct {
		name, named, want string
		places            []string
	}{
		{"the newest of those installed", "", installed("16"), []string{filepath.Join(folder, "*", "bin")}},
		{"the one that is named", installed("14"), installed("14"), []string{filepath.Join(folder, "*", "bin")}},
		{"none", "", "", []string{filepath.Join(folder, "nowhere")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(p.Variable, tt.named)
			p.Places = tt.places
			got, err := p.Find()
			if tt.want != "" {
				if want, _ := filepath.EvalSymlinks(tt.want); err != nil || got != want {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
				return
			}
			missing, ok := errors.AsType[*MissingError](err)
			if !ok || missing.Program.Name != p.Name || !strings.Contains(err.Error(), "make one") {
				t.Errorf("got %s, %v, want an error that says how to get it", got, err)
			}
		})
	}
}

func TestRequired(t *testing.T) {
	p := Program{Require: "REHEARSE_TEST_REQUIRE"}
	for value, want := range map[string]bool{"": false, "0": false, "1": true} {
		t.Setenv(p.Require, value)
		if got := p.Required(); got != want {
			t.Errorf("with %q: got %t, want %t", value, got, want)
		}
	}
}

// Debian's redis-server is a link to a program of another name.
func TestFoundKeepsTheName(t *testing.T) {
	folder := t.TempDir()
	link, target := filepath.Join(folder, "rehearse-linked-server"), filepath.Join(folder, "rehearse-check")
	if err := os.WriteFile(target, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	p := Program{Name: filepath.Base(link), Places: []string{folder}}
	if got, err := p.Found(); got != link || err != nil {
		t.Errorf("found: got %s, %v, want %s", got, err, link)
	}
	resolved, _ := filepath.EvalSymlinks(target)
	if got, err := p.Find(); got != resolved || err != nil {
		t.Errorf("find: got %s, %v, want %s", got, err, resolved)
	}
}
