package scenario

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/rehearse-dev/rehearse/harness/source"
)

var update = flag.Bool("update", false, "write the golden files again")

// files are those of the example, with others in their place or beside them.
func files(t testing.TB, over map[string]string) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	for _, name := range []string{"runbook.yaml", "scenario.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", "example", name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: data}
	}
	for name, text := range over {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestLoadFile(t *testing.T) {
	l, err := LoadFile("testdata/example/scenario.yaml", WithFaults("kill", "partition"))
	if err != nil {
		t.Fatalf("the example: %v", err)
	}
	if want := "testdata/example/scenario.yaml"; l.File != want {
		t.Errorf("file: got %q, want %q as it was given", l.File, want)
	}
	if l.Name != "example/scenario" {
		t.Errorf("name: got %q, want example/scenario", l.Name)
	}
	if got := l.Runbook.Rollout.Lead.Duration(); got != 5*time.Minute {
		t.Errorf("lead: got %v, want that of the override, 5m", got)
	}
	if got := l.Runbook.Rollout.Watch.Duration(); got != 20*time.Minute {
		t.Errorf("watch: got %v, want that of the page, 20m", got)
	}
	if got := float64(l.Scenario.Load[0].Rate); got != 200 {
		t.Errorf("rate of web: got %v, want 200", got)
	}
	for what, got := range map[string]string{
		"testdata/example/scenario.yaml:4:28": l.PagePosition("rollout.lead").String(),
		"testdata/example/runbook.yaml:10:52": l.PagePosition("rollout.watch").String(),
		"testdata/example/scenario.yaml:9:40": l.Position("services.checkout.library").String(),
		"testdata/example/scenario.yaml:19:5": l.Position("load[1].sessions").String(),
	} {
		if got != what {
			t.Errorf("position: got %s, want %s", got, what)
		}
	}
}

func TestLoadDigests(t *testing.T) {
	load := func(over map[string]string, name string) *Loaded {
		l, err := Load(files(t, over), name)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	plain := load(nil, "scenario.yaml")
	if len(plain.ScenarioDigest) != 64 || len(plain.RunbookDigest) != 64 {
		t.Errorf("digests %q and %q: want 64 hex digits", plain.ScenarioDigest, plain.RunbookDigest)
	}
	same := load(map[string]string{"same.yaml": "extends: scenario.yaml\n"}, "same.yaml")
	if same.ScenarioDigest != plain.ScenarioDigest || same.RunbookDigest != plain.RunbookDigest {
		t.Errorf("a scenario that adds nothing has other digests")
	}
	faster := load(map[string]string{"fast.yaml": "extends: scenario.yaml\nspeed: 30\n"}, "fast.yaml")
	if faster.ScenarioDigest == plain.ScenarioDigest || faster.RunbookDigest != plain.RunbookDigest {
		t.Errorf("another speed: want another scenario's digest and the same page's")
	}
	sooner := load(map[string]string{"soon.yaml": "extends: scenario.yaml\noverride: {rollout: {lead: 4m}}\n"}, "soon.yaml")
	if sooner.RunbookDigest == plain.RunbookDigest {
		t.Errorf("another lead: want another page's digest")
	}
}

func TestLoadExtends(t *testing.T) {
	fsys := files(t, map[string]string{
		"base/healthy.yaml": "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: ../runbook.yaml\noverride: {rollout: {propagation: 10s}}\n" +
			"speed: 2\nservices: {auth: {serve: issuer}, checkout: {serve: verifier, library: keyfunc}, search: {serve: verifier, library: jwx}}\n" +
			"load: [{client: web, to: checkout, rate: 5/s, token: {}}, {client: app, to: search, rate: 5/s, token: {}}]\n",
		"bad/flag-day.yaml": "extends: ../base/healthy.yaml\nspeed: null\nservices: {search: {library: go-oidc}}\n" +
			"override: {rollout: {lead: 0s, propagation: null}}\nload: [{client: web, to: checkout, rate: 9/s, token: {}}]\n",
	})
	l, err := Load(fsys, "bad/flag-day.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "bad/flag-day" {
		t.Errorf("name: got %q, want bad/flag-day", l.Name)
	}
	if l.Scenario.Speed != 0 || l.Says("speed") {
		t.Errorf("speed: got %v, want it taken away", l.Scenario.Speed)
	}
	if s := l.Scenario.Services["search"]; s.Serve != "verifier" || s.Library != "go-oidc" {
		t.Errorf("search: got %+v, want a verifier of go-oidc", s)
	}
	if len(l.Scenario.Load) != 1 || l.Scenario.Load[0].Rate != 9 {
		t.Errorf("load: got %+v, want the list replaced", l.Scenario.Load)
	}
	if r := l.Runbook.Rollout; r.Lead != 0 || r.Propagation != 0 {
		t.Errorf("rollout: got %+v, want no lead, and the propagation of the base's override and of the page taken away", r)
	}
	if got, want := l.PagePosition("rollout.lead").String(), "bad/flag-day.yaml:4:28"; got != want {
		t.Errorf("position of the lead: got %s, want %s", got, want)
	}
}

// Each archive has the files that differ from the example, and what the
// error says in want. Without a scenario.yaml of its own it is the example's.
func TestLoadRefuses(t *testing.T) {
	archives, err := filepath.Glob("testdata/refused/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("found %d archives, %v", len(archives), err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			over, want := map[string]string{}, ""
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = string(f.Data)
				} else {
					over[f.Name] = string(f.Data)
				}
			}
			_, err = Load(files(t, over), "scenario.yaml", WithFaults("kill", "partition"))
			if err == nil {
				t.Fatal("it was taken, want an error")
			}
			if got := err.Error() + "\n"; *update {
				rewrite(t, file, archive, got)
			} else if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, want string) {
	t.Helper()
	kept := archive.Files[:0]
	for _, f := range archive.Files {
		if f.Name != "want" {
			kept = append(kept, f)
		}
	}
	archive.Files = append(kept, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What an archive of text cannot hold.
func TestLoadRefusesBytes(t *testing.T) {
	tests := []struct {
		name, scenario, want string
	}{
		{"an empty file", "", "scenario.yaml:1:1: the file is empty"},
		{"a binary file", "kind: \x00\x01", "scenario.yaml:1:7: a binary file: it has a NUL byte"},
		{"a picture", "\x89PNG\r\n", "scenario.yaml:1:1: a binary file: it is not valid UTF-8"},
		{"100,000 lines", strings.Repeat("a:\n", 100_000), "scenario.yaml: the file has 100000 lines, the most is 20000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(files(t, map[string]string{"scenario.yaml": tt.scenario}), "scenario.yaml")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestLoadMissing(t *testing.T) {
	if _, err := LoadFile("testdata/nothing.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a scenario that is not there: got %v, want fs.ErrNotExist", err)
	}
	over := map[string]string{"scenario.yaml": "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: nothing.yaml\n"}
	if _, err := Load(files(t, over), "scenario.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a page that is not there: got %v, want fs.ErrNotExist", err)
	}
}

func TestPositionOfWhatWasMadeByHand(t *testing.T) {
	l := &Loaded{Name: "by-hand"}
	if got := l.Position("speed").String(); got != "by-hand" || l.Says("speed") {
		t.Errorf("got %s, says %v, want by-hand and false", got, l.Says("speed"))
	}
}

func FuzzLoad(f *testing.F) {
	example := files(f, nil)
	parsed := map[string]*source.Node{} // what is not varied is read once for all
	for name, file := range example {
		f.Add(string(file.Data), name == "runbook.yaml")
		node, err := source.Parse(name, file.Data)
		if err != nil {
			f.Fatal(err)
		}
		parsed[name] = node
	}
	for _, text := range []string{"extends: scenario.yaml", "a: &a [*a]", "? [", "- - -", "override: {a: }", "services: {a.b: {serve: cache, of: a.b}}", "\t", "a: |2\n x", "{a: b,}", "--- !<x>\n...\n"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, page bool) {
		name, other := "scenario.yaml", "runbook.yaml"
		if page {
			name, other = other, name
		}
		late := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("no answer on %q", text)) }) // the fuzzer itself tells no hang
		defer late.Stop()
		all := loaderOf(fstest.MapFS{name: {Data: []byte(text)}, other: example[other]})
		read := all.read
		all.read = func(file string) (*source.Node, error) {
			if file == other {
				return parsed[other], nil
			}
			return read(file)
		}
		l, err := load(all, "scenario.yaml", nil)
		if (l == nil) == (err == nil) {
			t.Errorf("got %v and %v, want one of them", l, err)
		}
	})
}
