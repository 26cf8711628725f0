package history

import (
	"bufio"
	"bytes"
	"os"
	"testing"
	"time"
)

// everyKind is a history that has an event of every kind: what is fuzzed elsewhere
// begins with it too.
const everyKind = "testdata/every-kind.jsonl"

func TestTheSeedHasEveryKind(t *testing.T) {
	file, err := os.ReadFile(everyKind)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	has := map[Kind]bool{}
	for _, e := range h.Events {
		has[e.Kind] = true
	}
	for kind := range needs {
		if !has[kind] {
			t.Errorf("%s: no event of kind %q, want one of each", everyKind, kind)
		}
	}
}

// FuzzRead reads anything: what is taken can be replayed, written, and read to
// the same again.
func FuzzRead(f *testing.F) {
	seed, err := os.ReadFile(everyKind)
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(seed) {
		f.Add(line)
	}
	// Buffers as large as those that a reader and a recorder make are taken for
	// theirs: to make them is most of what a line costs.
	in, out := bufio.NewReaderSize(nil, 64<<10), bufio.NewWriterSize(nil, 64<<10)
	read := func(text []byte) (*History, error) {
		in.Reset(bytes.NewReader(text))
		return Read(in)
	}
	rewritten := func(t *testing.T, h *History) []byte {
		t.Helper()
		var file bytes.Buffer
		out.Reset(&file)
		recorder := NewRecorder(time.Time{}, out)
		for _, e := range h.Events {
			recorder.Record(e)
		}
		if _, err := recorder.Close(time.Second); err != nil {
			t.Fatalf("write the history: %v", err)
		}
		return file.Bytes()
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := read(text)
		if err != nil {
			return
		}
		ViewOf(h)
		written := rewritten(t, h)
		again, err := read(written)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%s", err, written)
		}
		if twice := rewritten(t, again); !bytes.Equal(twice, written) {
			t.Errorf("read twice: got\n%s\nwant\n%s", twice, written)
		}
	})
}
