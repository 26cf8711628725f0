package reports

import "testing"

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
		want, verdict string
	}{
		{"in time", 500, 1000, "30s (500ms)", "yes"},
		{"on the bound", 1000, 1000, "1m (1s)", "yes"},
		{"too late", 1500, 1000, "1m30s (1.5s)", "no"},
		{"no bound", 1500, -1, "1m30s (1.5s)", "yes"},
		{"never", -1, 1000, "not in this run", "–"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if took, inTime := baseModel().against(tt.took, tt.bound); took != tt.want || inTime != tt.verdict {
				t.Errorf("got %q, %q; want %q, %q", took, inTime, tt.want, tt.verdict)
			}
		})
	}
}
