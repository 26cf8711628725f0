package source

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func parsed(t *testing.T, file, text string) *Node {
	t.Helper()
	n, err := Parse(file, []byte(text))
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return n
}

func TestParsePositions(t *testing.T) {
	n := parsed(t, "a.yaml", "\ufeffscope:\n  name: key\nconsumers:\n  - {name: é, roles: [emit]}\n  - name: b\ntext: |\n  long\nbase: &base {x: 1}\nagain: *base\n")
	tests := []struct {
		path string
		want string
		line string
	}{
		{"scope", "map[name:key]", "a.yaml:2:3"},
		{"scope.name", "key", "a.yaml:2:9"},
		{"consumers[0]", "map[name:é roles:[emit]]", "a.yaml:4:5"},
		{"consumers[0].roles[0]", "emit", "a.yaml:4:23"},
		{"consumers[1].name", "b", "a.yaml:5:11"},
		{"text", "long\n", "a.yaml:6:7"},
		{"again.x", "1", "a.yaml:8:17"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			got, found := n.At(tt.path)
			if !found || fmt.Sprint(got.Interface()) != tt.want || got.Position.String() != tt.line {
				t.Errorf("got %v at %v (found: %v), want %s at %s", got.Interface(), got.Position, found, tt.want, tt.line)
			}
		})
	}
}

// mostAllocated is what the refusal of a file may take: of 500,000 signs in 500
// KiB, the most that there is, the lexer alone takes a quarter of it.
const mostAllocated = 512 << 20

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestParseRefuses(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	tests := []struct {
		name, text, want string
	}{
		{"empty", "", "a.yaml:1:1: the file is empty"},
		{"comments only", "# nothing\n", "a.yaml:1:1: the file is empty"},
		{"two documents", "a: 1\n---\nb: 2\n", "a.yaml:2:1: there is a second document (one file is one document)"},
		{"not closed", "a: [1, 2\n", "a.yaml:1:4: sequence end token ']' not found"},
		{"a key twice", "a: 1\nb: 2\na: 3\n", `a.yaml:3:1: mapping key "a" already defined at [1:1]`},
		{"a key twice in two types", "5: 1\n\"5\": 2\n", `a.yaml:2:1: mapping key "5" already defined at [1:1]`},
		{"NUL byte", "a: 1\nb: \x00\n", "a.yaml:2:4: a binary file: it has a NUL byte"},
		{"not UTF-8", "a: 1\nb: é\xff\n", "a.yaml:2:5: a binary file: it is not valid UTF-8"},
		{"too large", "a: " + strings.Repeat("x", MaxBytes), "a.yaml: the file is larger than 1024 KiB"},
		{"100,000 lines", strings.Repeat("- a\n", 100_000), "a.yaml: the file has 100000 lines, the most is 20000"},
		{"too many values", "[" + strings.Repeat("1,", 60_000) + "]", "a.yaml: the file has more than 50000 words and signs"},
		{"too deep in brackets", strings.Repeat("[", 500_000), "a.yaml: the file has more than 50000 words and signs"},
		{"deep in brackets", strings.Repeat("[", 1000), "a.yaml:1:65: nested deeper than 64 levels"},
		{"deep in dashes", strings.Repeat("- ", 1000) + "a", "a.yaml:1:129: nested deeper than 64 levels"},
		{"deep in lines", deepLines(100), "a.yaml:65:65: nested deeper than 64 levels"},
		{"aliases of aliases", bomb, "a.yaml:5:9: more than 100000 values, counting aliases as often as they are used"},
		{"an alias of nothing", "a: *b\n", "a.yaml:1:4: no anchor &b before this"},
		{"an alias of what it is in", "a: &a [*a]\n", "a.yaml:1:8: no anchor &a before this"},
		{"a merge key", "a: &a {b: 1}\nc:\n  <<: *a\n", "a.yaml:3:3: the merge key << has no meaning here (a scenario can say extends)"},
		{"a tag", "a: !!str 5\n", "a.yaml:1:4: a tag has no meaning here (leave it out; put text in quotes)"},
		{"a key of its own", "? a\n: 1\n", "a.yaml:1:1: a key must be plain text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := allocated()
			_, err := Parse("a.yaml", []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			// What a parser works on it allocates: counted so, a busy machine is no
			// failure, and what grows with the square of the text is.
			if took := allocated() - before; took > mostAllocated {
				t.Errorf("it took %d MiB of memory, want at most %d", took>>20, int64(mostAllocated)>>20)
			}
		})
	}
}

func deepLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestRead(t *testing.T) {
	fsys := fstest.MapFS{"folder/a.yaml": {Data: []byte("a: 1")}}
	tests := []struct {
		name, file, want string
		is               error
	}{
		{"missing", "b.yaml", "shown.yaml: read: file does not exist", fs.ErrNotExist},
		{"a folder", "folder", "shown.yaml: is not a file but a directory", nil},
		{"outside", "../a.yaml", "shown.yaml: read: file does not exist", fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(fsys, tt.file, "shown.yaml")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("errors.Is(%v, %v) is false, want true", err, tt.is)
			}
		})
	}
	if n, err := Read(fsys, "folder/a.yaml", "shown.yaml"); err != nil || n.File != "shown.yaml" {
		t.Errorf("got %v, %v, want the document, shown as shown.yaml", n, err)
	}
}

func TestParsePassesOverDirectives(t *testing.T) {
	n := parsed(t, "a.yaml", "%YAML 1.2\n---\na: 1\n")
	if a, found := n.At("a"); !found || a.Position.String() != "a.yaml:3:4" {
		t.Errorf("got %v at %v, want 1 at a.yaml:3:4", a.Interface(), a.Position)
	}
	if _, err := Parse("a.yaml", []byte("%YAML 1.2\n---\na: 1\n---\nb: 2\n")); err == nil || err.Error() != "a.yaml:4:1: there is a second document (one file is one document)" {
		t.Errorf("two documents behind a directive: got %v, want that there is a second one", err)
	}
}

func TestParseForeign(t *testing.T) {
	const text = "x: &x {a: 1, b: [2]}\nweb:\n  <<: *x\n  c: !override [3]\n  d: !reset []\nall: {<<: [*x, *x]}\n"
	n, err := ParseForeign("compose.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	web, _ := n.At("web")
	if got, want := fmt.Sprint(web.Interface()), "map[a:1 b:[2] c:[3] d:[]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a, found := n.At("web.a"); !found || a.Position.String() != "compose.yaml:1:11" {
		t.Errorf("a value of a merge: got %v, found %v, want it where it is written, compose.yaml:1:11", a.Position, found)
	}
	if all, _ := n.At("all"); len(all.Fields) != 4 {
		t.Errorf("a list of merges: got %d entries, want 4", len(all.Fields))
	}
	if _, err := Parse("page.yaml", []byte(text)); err == nil {
		t.Error("a page with a merge key: got no error, want one")
	}
}
