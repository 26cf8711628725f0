package console

import (
	"embed"
	"io/fs"
	"reflect"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/source/schema"
)

// typesSource is the file whose comments describe the types.
//
//go:embed stream.go
var typesSource embed.FS

// ResultKind is the kind of the last line of --ui json. Of all others the kind is one of
// history.Kinds.
const ResultKind = "result"

// Line is a line of --ui json: an event as events.jsonl has it or, as the last line of a
// run that could be judged, what the run came to.
type Line struct {
	history.Event
	// Result is what the run came to: of the last line, whose kind is "result".
	Result *Result `json:"result,omitempty"`
}

// Result is what a run came to.
type Result struct {
	Verdict      judge.Outcome   `json:"verdict"`       // pass, fail or inconclusive
	AuthFailures judge.Flatness  `json:"auth_failures"` // flat, not_flat or cannot_tell
	Why          string          `json:"why"`           // one sentence for a person
	Ended        string          `json:"ended"`         // how the rotation ended: complete, rolled back, stopped or interrupted
	Findings     []judge.Finding `json:"findings"`      // what did not hold, the heaviest first
	Folder       string          `json:"folder"`        // of the run's files
	Files        []string        `json:"files"`         // in the folder: the reports that could be written
}

// Conclude writes the last line: what the run came to. Close follows.
func (j *JSON) Conclude(r Result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(Line{history.Event{At: j.now, Kind: ResultKind}, &r})
}

// StreamSchema is the JSON Schema (draft 2020-12) of a line of --ui json, and so of one
// of events.jsonl.
func StreamSchema() ([]byte, error) {
	kinds := []string{ResultKind}
	for _, k := range history.Kinds() {
		kinds = append(kinds, string(k))
	}
	return schema.Of(Line{}, schema.Format{
		Title:   "rehearse stream",
		Open:    true,
		Numbers: []reflect.Type{reflect.TypeFor[history.Offset]()},
		Values: map[string][]string{
			"Line.kind":            kinds,
			"Result.verdict":       judge.Verdicts,
			"Result.auth_failures": judge.Flatnesses,
			"Finding.level":        judge.Levels,
		},
		Sources: []fs.FS{typesSource, history.TypesSource, judge.TypesSource},
	})
}
