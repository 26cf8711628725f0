package reports

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestEveryTableIsEven(t *testing.T) {
	for name, m := range models() {
		for _, table := range append(tables(m), perPhase(m), cells(m), beforeAndAfter(contrasts(m))) {
			if len(table.Rows) == 0 && table.Note == "" {
				t.Errorf("%s: table %q is empty and does not say so", name, table.Title)
			}
			for _, row := range table.Rows {
				if len(row) != len(table.Head) {
					t.Errorf("%s: table %q has a row of %d cells, want %d: %q", name, table.Title, len(row), len(table.Head), row)
				}
			}
		}
	}
}

func TestValidatorsAgainstTheirBounds(t *testing.T) {
	tests := []struct {
		name          string
		took, bound   int64
		last          history.Phase // from 1.5 s to 3 s; accept is at 1 s
		back          bool
		want, verdict string
	}{
		{"in time", 500, 1000, history.Emit, false, "30s (500ms)", "yes"},
		{"on the bound", 1000, 1000, history.Emit, false, "1m (1s)", "yes"},
		{"too late", 1500, 1000, history.Emit, false, "1m30s (1.5s)", "no"},
		{"no bound", 1500, -1, history.Emit, false, "1m30s (1.5s)", "yes"},
		{"never", -1, 1000, history.Emit, false, "never", "no"},
		{"not yet due", -1, 2500, history.Emit, false, "not in this run", "–"},
		{"not asked for", -1, 1000, history.Verify, false, "not in this run", "–"},
		{"taken back", -1, 1000, history.Emit, true, "not in this run", "–"},
		{"never, with no bound", -1, -1, history.Emit, false, "not in this run", "–"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := baseModel()
			m.Phases = []judge.PhaseSpan{{Name: history.Baseline, EndMS: 1000}, {Name: history.Accept, StartMS: 1000, EndMS: 1000}, {Name: tt.last, StartMS: 1500, EndMS: 3000}}
			m.Rollback.Happened = tt.back
			if took, inTime := m.against(tt.took, tt.bound, history.Accept, history.Emit); took != tt.want || inTime != tt.verdict {
				t.Errorf("got %q, %q; want %q, %q", took, inTime, tt.want, tt.verdict)
			}
		})
	}
}
