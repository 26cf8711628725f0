package scenarios_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// notInTable are the scenarios that expect not to pass and have no row of their
// own, beside the twins with the gates enforced, and why.
var notInTable = map[string]string{
	"jwt-signing-key/missed-consumer":                        "a missed consumer, which api-key/missed-consumer shows",
	"database-password/missed-consumer":                      "a missed consumer, which api-key/missed-consumer shows",
	"api-key/budget-spent":                                   "a missed consumer; it shows what the budget does then",
	"api-key/second-rotation":                                "two rotations that overlap, which jwt-signing-key/second-rotation shows",
	"webhook-secret/flag-day":                                "a secret rolled at a dashboard, which api-key/flag-day shows",
	"database-password/flag-day-rollback-from-verify":        "the way back of database-password/flag-day",
	"database-password/redis-resetpass-rollback-from-verify": "the way back of database-password/redis-resetpass",
	"database-password/flag-day-rollback-from-watch":         "the way back of database-password/flag-day",
}

// TestTableOfModes holds the table of the README against what is built in: at
// least twenty ways to go wrong, each shown by a scenario that expects to fail,
// beside one that passes; and no way to go wrong that is built in and not there.
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
	var modes, all []string
	const head = "| mode | shown by | cured by |"
	_, table, ok := strings.Cut(string(readme), head)
	if !ok {
		t.Fatalf("want a table that begins with %s", head)
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.HasPrefix(cells[0], "---") {
			continue
		}
		mode, shown, cured := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if slices.Contains(modes, mode) {
			t.Errorf("%s is listed twice", mode)
		}
		modes, all = append(modes, mode), append(all, shown)
		if got := verdict(shown); got != "fail" && got != "inconclusive" {
			t.Errorf("%s is shown by %s: that is %s, want a scenario that expects not to pass", mode, shown, got)
		}
		if got := verdict(cured); got != "pass" {
			t.Errorf("%s is cured by %s: that is %s, want a scenario that expects to pass", mode, cured, got)
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "incidents/") {
			continue // of modes that are in the table; their own README tells of them
		}
		_, excepted := notInTable[name]
		if listed := slices.Contains(all, name); listed == excepted && !strings.HasSuffix(name, "-gated") && verdict(name) != "pass" {
			t.Errorf("%s expects not to pass: in the table %t, an exception %t; want it to be one of the two", name, listed, excepted)
		}
	}
	for name := range notInTable {
		if got := verdict(name); got != "fail" && got != "inconclusive" {
			t.Errorf("%s is an exception: it is %s, want a scenario that expects not to pass", name, got)
		}
	}
	if len(modes) < 20 {
		t.Errorf("got %d modes, want at least 20", len(modes))
	}
}
