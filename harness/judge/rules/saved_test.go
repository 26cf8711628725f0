package rules_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
)

var update = flag.Bool("update", false, "write what saved histories are judged to anew")

// TestSavedHistories: what real rehearsals of each family left is judged as it
// was. A change of the judge that is meant shows in these files, and is looked at
// there before it is kept.
func TestSavedHistories(t *testing.T) {
	t.Parallel()
	saved, err := filepath.Glob("testdata/saved/*.jsonl.gz")
	if err != nil || len(saved) == 0 {
		t.Fatalf("find saved histories: %d, %v", len(saved), err)
	}
	for _, path := range saved {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl.gz")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := savedHistory(t, path)
			limits, err := rules.Limits(h)
			if err != nil {
				t.Fatalf("limits: %v", err)
			}
			v := rules.Judge(h, limits)
			v.Cells = nil // counts, which no detector has a part in
			got, err := json.MarshalIndent(v, "", " ")
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			got = append(got, '\n')
			golden := strings.TrimSuffix(path, ".jsonl.gz") + ".json"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatalf("write: %v", err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("verdict: got\n%s\nwant that of %s\n%s", firstDifference(got, want), golden, firstDifference(want, got))
			}
		})
	}
}

// savedHistory reads a history that a run left.
func savedHistory(t *testing.T, path string) *history.History {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatalf("unzip %s: %v", path, err)
	}
	h, err := history.Read(unzipped)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return h
}

// firstDifference are the lines of a from the first one on that b does not have there.
func firstDifference(a, b []byte) string {
	mine, others := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i, line := range mine {
		if i >= len(others) || line != others[i] {
			return strings.Join(mine[i:min(i+5, len(mine))], "\n")
		}
	}
	return ""
}
