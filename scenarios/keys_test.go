package scenarios_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

var update = flag.Bool("update", false, "write KEYS.md anew")

// formats are words for the texts of the two formats.
var formats = map[string]string{
	runbook.DurationPattern: "duration, as `90s`, `5m` or `90d`",
	runbook.PercentPattern:  "share, as `99.9%`",
	scenario.RatePattern:    "rate, as `40/s`",
	scenario.MomentPattern:  "phase, as `emit` or `emit+10s`",
	scenario.ShiftPattern:   "duration with a sign, as `-30s`",
}

// TestKeysAreThoseOfTheSchemas holds the reference of all keys against the schemas that
// editors use: go test ./scenarios -run Keys -update writes it.
func TestKeysAreThoseOfTheSchemas(t *testing.T) {
	text := "# Every key\n\nOf a page (`kind: Runbook`) and of a scenario (`kind: Scenario`). Keys in bold are required. `rehearse schema runbook` and\n" +
		"`rehearse schema scenario` print the same as JSON Schema, with which an editor completes and checks while you write.\n" +
		"How to write a scenario is in [README.md](README.md).\n\n"
	for _, format := range []struct {
		heading string
		schema  func() ([]byte, error)
	}{
		{"Runbook", runbook.Schema},
		{"Scenario", func() ([]byte, error) { return scenario.Schema(fault.Names()...) }},
	} {
		data, err := format.schema()
		if err != nil {
			t.Fatal(err)
		}
		reference, err := referenceOf(data, format.heading, formats)
		if err != nil {
			t.Fatal(err)
		}
		text += reference
	}
	if strings.Contains(text, "text that matches") {
		t.Error("a regular expression has no words: add them to formats")
	}
	if *update {
		if err := os.WriteFile("KEYS.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile("KEYS.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != text {
		t.Error("KEYS.md is not what the schemas say: go test ./scenarios -run Keys -update, and read the diff")
	}
}
