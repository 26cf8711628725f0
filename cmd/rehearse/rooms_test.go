package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages in the table of CONTRIBUTING.md, in its order, without
// the module's path.
func rooms(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| room | what lives here |\n|---|---|\n")
	if !found {
		t.Fatal("there is no table of rooms in CONTRIBUTING.md")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rooms []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(cells[1], -1) {
			rooms = append(rooms, braced(strings.Trim(quoted, "`"))...)
		}
	}
	return rooms
}

// braced are the names that one with braces stands for: a/{b,c}.
func braced(name string) []string {
	before, rest, found := strings.Cut(name, "{")
	if !found {
		return []string{name}
	}
	inside, after, _ := strings.Cut(rest, "}")
	var names []string
	for part := range strings.SplitSeq(inside, ",") {
		names = append(names, before+part+after)
	}
	return names
}

// imports are what each package of the module imports of the module, without tests.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", "{{.Module.Path}} {{.ImportPath}} {{join .Imports \" \"}}", "./...")
	list.Dir, list.Stderr = filepath.Join("..", ".."), os.Stderr
	listed, err := list.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(listed)) {
		words := strings.Fields(line)
		var own []string
		for _, path := range words[1:] {
			if name, ok := strings.CutPrefix(path, words[0]+"/"); ok {
				own = append(own, name)
			}
		}
		imports[own[0]] = own[1:]
	}
	return imports
}

// TestRoomsImportFromAbove holds every import against the table of rooms: the order
// in which a reader meets them is the one in which they know of each other.
func TestRoomsImportFromAbove(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to list packages with")
	}
	rooms, imports := rooms(t), imports(t)
	for i, room := range rooms {
		if _, ok := imports[room]; !ok {
			t.Errorf("%s is in the table of CONTRIBUTING.md and no package", room)
		}
		if slices.Index(rooms, room) < i {
			t.Errorf("%s is in the table twice", room)
		}
	}
	for name, others := range imports {
		place := slices.Index(rooms, name)
		if place < 0 {
			t.Errorf("%s is not in the table of rooms in CONTRIBUTING.md", name)
			continue
		}
		for _, other := range others {
			if at := slices.Index(rooms, other); at > place {
				t.Errorf("%s imports %s, which stands below it in CONTRIBUTING.md", name, other)
			}
		}
	}
}
