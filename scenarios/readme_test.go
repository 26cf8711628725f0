package scenarios_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestTableOfModes holds the table of the README against what is built in: at
// least twenty ways to go wrong, each shown by a scenario that expects to fail,
// beside one that passes.
func TestTableOfModes(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := scenarios.List()
	if err != nil {
		t.Fatal(err)
	}
	verdict := func(name string) string {
		if !slices.Contains(names, name) {
			return "not built in"
		}
		loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
		if err != nil {
			t.Fatal(err)
		}
		return loaded.Scenario.Expect.Verdict
	}
	var modes []string
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[0]) == "mode" {
			continue
		}
		mode, shown, cured := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if slices.Contains(modes, mode) {
			t.Errorf("%s is listed twice", mode)
		}
		modes = append(modes, mode)
		if got := verdict(shown); got != "fail" && got != "inconclusive" {
			t.Errorf("%s is shown by %s: that is %s, want a scenario that expects not to pass", mode, shown, got)
		}
		if got := verdict(cured); got != "pass" {
			t.Errorf("%s is cured by %s: that is %s, want a scenario that expects to pass", mode, cured, got)
		}
	}
	if len(modes) < 20 {
		t.Errorf("got %d modes, want at least 20", len(modes))
	}
}
