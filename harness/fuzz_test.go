package harness

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/history/historytest"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// FuzzResume reads any folder of a dead run as far as `rehearse run --resume`
// does before it looks for what is left of it: what it rehearsed, and its
// history, whose last line may be cut off.
func FuzzResume(f *testing.F) {
	events, err := os.ReadFile("history/testdata/every-kind.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	unfinished, err := json.Marshal(Unfinished{
		Run: "4f1c", Scenario: scenarios.Default, ScenarioDigest: "5ce0", RunbookDigest: "b00c", Speed: 60, Seed: 7,
		StartedAt: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), Runtime: Process, Store: Embedded,
	})
	if err != nil {
		f.Fatal(err)
	}
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(scenarios.Default))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unfinished, []byte{}, uint16(0))
	f.Add([]byte(`{"run": "4f1c", "speed": 1e300, "seed": -1}`), []byte{5, 5, 9, 11}, uint16(40))
	f.Fuzz(func(t *testing.T, unfinished, edits []byte, cutOff uint16) {
		dir := t.TempDir()
		saved := historytest.Mutate(events, edits)
		saved = saved[:max(0, len(saved)-int(cutOff))]
		if err := os.WriteFile(filepath.Join(dir, unfinishedFile), unfinished, 0o600); err != nil {
			t.Fatal(err)
		}
		if u, err := ReadUnfinished(dir); err == nil {
			p, err := plan.Build(loaded, u.PlanOptions())
			if (p == nil) == (err == nil) {
				t.Errorf("plan: got %v and %v, want one of them", p, err)
			}
		}
		h, err := history.ReadCutOff(bytes.NewReader(saved), EventsFile)
		if err != nil {
			return
		}
		if l, err := rules.Limits(h); err == nil {
			rules.Judge(h, l)
		}
	})
}
