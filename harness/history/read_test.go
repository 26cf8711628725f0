package history

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadRefuses(t *testing.T) {
	good := `{"at_ms":0,"kind":"plan","plan":{}}` + "\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "the history is empty"},
		{"a line that is no event", good + "hello\n", "line 2"},
		{"a last line that was cut off", good + good + `{"at_ms":12,"ki`, "line 3: the line is cut off"},
		{"a field of another type", `{"at_ms":"soon","kind":"plan"}`, "line 1"},
		{"a line without an end", good + strings.Repeat("x", maxLine+1), "line 2: it is longer than 16 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want an error with %q", h, err, tt.want)
			}
		})
	}
	broken := errors.New("disk failure")
	if _, err := Read(io.MultiReader(strings.NewReader(good), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("read of a broken file: got %v, want %v", err, broken)
	}
}

// failing is a file that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReadFileSaysWhere(t *testing.T) {
	const path = "run/events.jsonl"
	text := `{"at_ms":0,"kind":"plan","plan":{}}` + "\n" + `{"at_ms":5,"kind":"counts"}` + "\n"
	_, err := ReadFile(strings.NewReader(text), path)
	want := path + `:2: an event of kind "counts" needs "counts", and has none`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if damaged, ok := errors.AsType[*Damaged](err); !ok || damaged.Line != 2 || damaged.File != path {
		t.Errorf("got %#v, want a *Damaged with the file and line 2", err)
	}
}

func TestReadCutOff(t *testing.T) {
	const plan, phase = `{"at_ms":0,"kind":"plan","plan":{}}` + "\n", `{"at_ms":1,"kind":"phase","phase":"baseline"}`
	for _, tt := range []struct {
		name, text string
		want       int // events
	}{
		{"nothing is cut off", plan + phase + "\n", 2},
		{"a last line that is whole", plan + phase, 2},
		{"half a line", plan + phase[:20], 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := ReadCutOff(strings.NewReader(tt.text), "events.jsonl")
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			if len(h.Events) != tt.want {
				t.Errorf("got %d events, want %d", len(h.Events), tt.want)
			}
		})
	}
	if h, err := ReadCutOff(strings.NewReader(plan[:9]), "events.jsonl"); err == nil {
		t.Errorf("half a line alone: got %v, want an error", h)
	}
	if h, err := ReadCutOff(strings.NewReader(plan+`{"at_ms":1,"kind":"counts"}`), "events.jsonl"); err == nil {
		t.Errorf("a whole last line that lacks a part: got %v, want an error", h)
	}
}
