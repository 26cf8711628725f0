package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/history/historytest"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
)

// everyKind is a history that has an event of every kind.
const everyKind = "../harness/history/testdata/every-kind.jsonl"

// saved is the model of a run folder, as `rehearse report` reads one; false: it
// is refused.
func saved(events, result []byte) (*Model, bool) {
	h, err := history.Read(bytes.NewReader(events))
	if err != nil {
		return nil, false
	}
	l, err := rules.Limits(h)
	if err != nil {
		return nil, false
	}
	m, err := ReadResult(bytes.NewReader(result))
	if err != nil {
		return nil, false
	}
	m.Limits, m.Timeline, m.WrittenAt = l, TimelineOf(h, l), time.Date(2026, 11, 23, 2, 5, 0, 0, time.UTC)
	return m, true
}

// seeds are run folders to begin with.
func seeds(f *testing.F) (events []byte, results [][]byte) {
	f.Helper()
	events, err := os.ReadFile(everyKind)
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []*Model{passModel(), failModel(), inconclusiveModel()} {
		var b bytes.Buffer
		if err := WriteJSON(&b, m); err != nil {
			f.Fatal(err)
		}
		var line bytes.Buffer // as edits want it
		if err := json.Compact(&line, b.Bytes()); err != nil {
			f.Fatal(err)
		}
		results = append(results, line.Bytes())
	}
	return events, results
}

// FuzzReports writes the reports of any run folder that can be read, in every format;
// the charts are in the page.
func FuzzReports(f *testing.F) {
	events, results := seeds(f)
	for _, result := range results {
		f.Add(result, []byte{}, []byte{})
		f.Add(result, []byte{5, 5, 9, 11, 8, 4, 2, 3}, []byte{0, 4, 20, 8, 0, 4, 90, 2})
	}
	f.Fuzz(func(t *testing.T, result, inEvents, inResult []byte) {
		m, ok := saved(historytest.Mutate(events, inEvents), historytest.Mutate(result, inResult))
		if !ok {
			return
		}
		for _, format := range formats {
			if err := format.write(io.Discard, m); err != nil {
				t.Errorf("%s: got %v, want it written", format.name, err)
			}
		}
	})
}

// FuzzCompare compares any two runs that can be read.
func FuzzCompare(f *testing.F) {
	events, results := seeds(f)
	for i := range results {
		f.Add(results[i], []byte{}, results[(i+1)%len(results)], []byte{0, 4, 20, 8, 0, 4, 90, 2})
	}
	f.Fuzz(func(t *testing.T, before, inBefore, after, inAfter []byte) {
		b, ok := saved(events, historytest.Mutate(before, inBefore))
		if !ok {
			return
		}
		a, ok := saved(events, historytest.Mutate(after, inAfter))
		if !ok {
			return
		}
		c, err := Compare(b, a)
		if errors.Is(err, ErrNotComparable) {
			return
		}
		if err != nil {
			t.Fatalf("compare: %v", err)
		}
		for name, write := range map[string]func(io.Writer, *Comparison) error{
			"text": WriteCompareText, "md": WriteCompareMarkdown, "json": WriteCompareJSON,
		} {
			if err := write(io.Discard, c); err != nil {
				t.Errorf("%s: got %v, want it written", name, err)
			}
		}
	})
}
