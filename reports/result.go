package reports

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source/schema"
)

// ErrSchema is in the chain of ReadResult's error where the file is JSON but
// not a result that this version reads.
var ErrSchema = errors.New("not a " + Schema + " result")

// WriteJSON writes result.json: indented, fields in the order of Model, and
// empty arrays and objects in place of null. It does not change m.
func WriteJSON(w io.Writer, m *Model) error {
	whole := *m
	whole.Schema = Schema
	whole.StartedAt = m.StartedAt.UTC()
	whole.Verdict = withoutNulls(m.Verdict)
	e := json.NewEncoder(plaintext.JSON(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // messages have arrows and ampersands, and this is not HTML
	if err := e.Encode(&whole); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// typesSource is the file whose comments describe the types.
//
//go:embed model.go
var typesSource embed.FS

// ResultSchema is the JSON Schema (draft 2020-12) of result.json.
func ResultSchema() ([]byte, error) {
	return schema.Of(Model{}, schema.Format{
		Title:   "rehearse result",
		Open:    true,
		Numbers: []reflect.Type{reflect.TypeFor[history.Offset]()},
		Patterns: map[reflect.Type]string{
			reflect.TypeFor[runbook.Duration](): runbook.DurationPattern,
			reflect.TypeFor[runbook.Percent]():  runbook.PercentPattern,
		},
		Values: map[string][]string{
			"Model.schema":        {Schema},
			"Model.verdict":       judge.Verdicts,
			"Model.auth_failures": judge.Flatnesses,
			"Finding.level":       judge.Levels,
			"Rule.outcome":        judge.Outcomes,
		},
		Sources: []fs.FS{typesSource, judge.TypesSource, history.TypesSource, runbook.TypesSource},
	})
}

// maxResult bounds a result.json: some 200,000 cells take two thirds of it.
const maxResult = 256 << 20

// ReadResult reads what WriteJSON wrote; Limits, Timeline and WrittenAt stay empty. An error of syntax
// names the line.
func ReadResult(r io.Reader) (*Model, error) {
	tooLong := fmt.Errorf("read result: it is longer than %d MiB: %w", maxResult>>20, ErrSchema)
	var text bytes.Buffer
	if file, ok := r.(fs.File); ok { // of which one copy is enough, and of one that is too long none
		if info, err := file.Stat(); err == nil && info.Size() > maxResult {
			return nil, tooLong
		} else if err == nil {
			text.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	if _, err := text.ReadFrom(io.LimitReader(r, maxResult+1)); err != nil {
		return nil, fmt.Errorf("read result: %w", err)
	}
	data := text.Bytes()
	if len(data) > maxResult {
		return nil, tooLong
	}
	var m Model
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("read result: line %d: %w", lineAt(data, err), err)
	}
	if m.Schema != Schema {
		return nil, fmt.Errorf("read result: schema is %q: %w", m.Schema, ErrSchema)
	}
	switch m.Verdict.Verdict {
	case judge.Pass, judge.Fail, judge.Inconclusive:
		return &m, nil
	}
	return nil, fmt.Errorf("read result: verdict is %q, want pass, fail or inconclusive: %w", m.Verdict.Verdict, ErrSchema)
}

// lineAt is the line that an error of decoding is about, from 1; the last one
// where the text ends too soon.
func lineAt(data []byte, err error) int {
	at := int64(len(data))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	} else if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = typed.Offset
	}
	return 1 + bytes.Count(data[:max(0, min(at, int64(len(data))))], []byte("\n"))
}

// withoutNulls is a copy of v in which no slice or map that is written is nil.
func withoutNulls(v judge.Verdict) judge.Verdict {
	v.Rules = notNil(v.Rules)
	v.Findings = notNil(v.Findings)
	v.Phases = notNil(v.Phases)
	v.Gates = notNil(v.Gates)
	v.Validators = notNil(v.Validators)
	v.Budget.Clients = notNil(v.Budget.Clients)
	v.Cells = notNil(slices.Clone(v.Cells))
	for i := range v.Cells {
		if v.Cells[i].Statuses == nil {
			v.Cells[i].Statuses = map[string]int64{}
		}
		if v.Cells[i].Credentials == nil {
			v.Cells[i].Credentials = map[string]judge.CredentialCounts{}
		}
	}
	v.Faults = notNil(slices.Clone(v.Faults))
	for i := range v.Faults {
		if v.Faults[i].Evidence == nil {
			v.Faults[i].Evidence = map[string]float64{}
		}
	}
	if v.Ledger == nil {
		v.Ledger = map[string]int64{}
	}
	return v
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// ended is the end of the last phase.
func (m *Model) ended() history.Offset {
	var end int64
	for _, p := range m.Phases {
		end = max(end, p.EndMS)
	}
	return history.Milliseconds(end)
}
