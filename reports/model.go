// Package reports writes what a run came to, in the formats that people and
// tools read. There is one model, and one func(io.Writer, *Model) error for
// each format; none of them judges anything.
package reports

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Schema names the shape of result.json.
const Schema = "rehearse/result/v1"

// Model is all that a report is made of. Its JSON form is result.json: the
// fields of the verdict stand beside those of the header.
type Model struct {
	Schema         string    `json:"schema"`
	ToolVersion    string    `json:"tool_version"`
	StartedAt      time.Time `json:"started_at"` // what every *_ms counts from
	Scenario       string    `json:"scenario"`
	Secret         string    `json:"secret_name"`             // what the page calls it: its scope.name
	ScenarioFile   string    `json:"scenario_file,omitempty"` // the path that was given; empty: a built-in one
	ScenarioDigest string    `json:"scenario_digest"`
	RunbookDigest  string    `json:"runbook_digest"`
	Seed           int64     `json:"seed"`
	Runtime        string    `json:"runtime"` // process, docker, simulated
	Store          string    `json:"store"`   // "vault 1.21.0", "embedded"
	Speed          float64   `json:"speed"`   // page time divided by wall time

	judge.Verdict

	// Runbook is the runbook with what the scenario overrides; nil: not known.
	Runbook *runbook.Runbook `json:"runbook,omitempty"`

	// What follows is not part of result.json: a saved run has it in its
	// events. Zero values are allowed, and leave out what they would have shown.
	Limits   plan.Limits `json:"-"`
	Timeline *Timeline   `json:"-"`
	// WrittenAt is when the reports are written: all that differs between two
	// reports of one run.
	WrittenAt time.Time `json:"-"`
}
