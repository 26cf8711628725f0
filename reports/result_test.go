package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestWriteJSON(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".json", func(w io.Writer) error { return WriteJSON(w, m) })
		})
	}
}

func TestWriteJSONHasNoNull(t *testing.T) {
	m := inconclusiveModel()
	m.Cells = []judge.Cell{{}}
	m.Faults = []judge.FaultReport{{}}
	var b bytes.Buffer
	if err := WriteJSON(&b, m); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "null") {
		t.Errorf("result has a null, want empty arrays and objects:\n%s", b.String())
	}
	if m.Findings != nil || m.Cells[0].Statuses != nil || m.Faults[0].Evidence != nil {
		t.Error("WriteJSON changed the model that it was given")
	}
}

// The fields that other tools read, at the top and in each part.
func TestResultHasTheFieldsOfItsSchema(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, failModel()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := func(what string, object any, fields string) {
		t.Helper()
		if list, ok := object.([]any); ok {
			object = list[len(list)-1]
		}
		for _, f := range strings.Fields(fields) {
			if _, there := object.(map[string]any)[f]; !there {
				t.Errorf("%s has no field %q", what, f)
			}
		}
	}
	want("result", got, `schema tool_version started_at scenario scenario_digest runbook_digest seed runtime store speed
		verdict auth_failures rules findings phases cells gates faults validators error_budget rollback ledger leaks totals runbook`)
	want("rule", got["rules"], "id outcome")
	want("finding", got["findings"], `ruleId level message presenter validator consumer credential caused_by first_phase
		first_ms last_ms count error_budget_spent_ratio fix`)
	want("phase", got["phases"], "name start_ms end_ms")
	want("cell", got["cells"], "presenter validator phase attempts auth_failures unavailable statuses credentials p50_ms p99_ms")
	want("gate", got["gates"], "phase mode held detail")
	want("fault", got["faults"], "kind target injected_ms evidence undone_ms")
	want("validator", got["validators"], "name learned_after_ms forgot_after_ms bound_ms")
	want("error_budget", got["error_budget"], "objective clients total")
	want("leaks", got["leaks"], "searched hits")
	want("totals", got["totals"], "scheduled sent recorded served auth_failures")
}

func TestReadResultReadsWhatWasWritten(t *testing.T) {
	m := failModel()
	var b bytes.Buffer
	if err := WriteJSON(&b, m); err != nil {
		t.Fatal(err)
	}
	got, err := ReadResult(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := failModel()
	want.Schema = Schema
	want.Limits, want.Timeline, want.WrittenAt = got.Limits, nil, got.WrittenAt
	if !reflect.DeepEqual(got.Runbook, want.Runbook) {
		t.Errorf("the page read back: got %+v, want %+v", got.Runbook, want.Runbook)
	}
	got.Runbook = want.Runbook
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back: got %+v, want %+v", got, want)
	}
}

func TestReadResultRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       error // nil: one of syntax
	}{
		{"another schema", `{"schema": "rehearse/result/v2", "verdict": "pass"}`, ErrSchema},
		{"no schema", `{"verdict": "pass"}`, ErrSchema},
		{"an unknown verdict", `{"schema": "rehearse/result/v1", "verdict": "perhaps"}`, ErrSchema},
		{"no verdict", `{"schema": "rehearse/result/v1"}`, ErrSchema},
		{"an empty file", "", nil},
		{"a file cut off", `{"schema": "rehearse/result/v1"`, nil},
		{"more than one document", `{"schema": "rehearse/result/v1", "verdict": "pass"} {}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadResult(strings.NewReader(tt.text))
			if _, syntax := errors.AsType[*json.SyntaxError](err); syntax != (tt.want == nil) || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReadResultSaysTheLine(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":            "{\n \"schema\": \"rehearse/result/v1\",\n oops}",
		"a figure as text":   "{\n \"schema\": \"rehearse/result/v1\",\n \"speed\": \"fast\"}",
		"the end is missing": "{\n \"schema\": \"rehearse/result/v1\",\n \"speed\": 60",
	} {
		if _, err := ReadResult(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "read result: line 3: ") {
			t.Errorf("%s: got %v, want an error with line 3", name, err)
		}
	}
}

func TestWriteJSONTellsWhatItCannotWrite(t *testing.T) {
	m := failModel()
	m.Findings[0].BudgetSpent = math.Inf(1)
	if err := WriteJSON(io.Discard, m); err == nil {
		t.Error("an infinite number was written, want an error: JSON has none")
	}
}

// TestReadResultThatIsTooLong refuses a file that no rehearsal writes before it is read.
func TestReadResultThatIsTooLong(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(maxResult + 1); err != nil { // it takes no room on the disk
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = ReadResult(file)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrSchema) || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("got %v and %d bytes allocated, want it refused and next to none", err, after.TotalAlloc-before.TotalAlloc)
	}
}
