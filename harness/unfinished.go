package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// unfinishedFile, in the folder of a run under way, says where to find what the run changes. It is
// removed when the run ends in order.
const unfinishedFile = "unfinished.json"

// mostUnfinished bounds such a file, in bytes: far more than any has.
const mostUnfinished = 1 << 20

// ErrFinished says that there is nothing to resume: the run ended in order, or never began.
var ErrFinished = errors.New("it is not unfinished: there is nothing to resume")

// Unfinished is a run whose harness died: what it rehearsed and where. It holds
// no secret.
type Unfinished struct {
	Run            string    `json:"run"`
	Scenario       string    `json:"scenario"`
	File           string    `json:"file,omitempty"` // of the scenario; empty: it is built in
	ScenarioDigest string    `json:"scenario_digest"`
	RunbookDigest  string    `json:"runbook_digest"`
	Speed          float64   `json:"speed"`
	Seed           int64     `json:"seed"`
	StartedAt      time.Time `json:"started_at"`
	Runtime        string    `json:"runtime"`
	Store          string    `json:"store"`
	VaultAddr      string    `json:"vault_addr,omitempty"` // empty: the run started its store itself
}

// PlanOptions are the options of its plan that matter for resuming.
func (u *Unfinished) PlanOptions() plan.Options { return plan.Options{Speed: u.Speed, Seed: u.Seed} }

// markUnfinished writes the file.
func (r *run) markUnfinished() error {
	p := r.plan
	u := Unfinished{
		Run: r.leftovers.Run(), Scenario: p.Name, File: p.File, ScenarioDigest: p.ScenarioDigest, RunbookDigest: p.RunbookDigest,
		Speed: p.Speed, Seed: p.Seed, StartedAt: r.outcome.StartedAt,
		Runtime: r.outcome.Runtime, Store: r.outcome.Store, VaultAddr: r.o.VaultAddr,
	}
	if u.File != "" {
		file, err := filepath.Abs(u.File)
		if err != nil {
			return fmt.Errorf("note where the run is: %w", err)
		}
		u.File = file
	}
	data, err := json.MarshalIndent(u, "", "  ")
	if err != nil {
		return fmt.Errorf("note where the run is: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.folder, unfinishedFile), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("note where the run is: %w", err)
	}
	return nil
}

// markFinished takes the file away.
func markFinished(folder string) error {
	if err := os.Remove(filepath.Join(folder, unfinishedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("note that the run has ended: %w", err)
	}
	return nil
}

// ReadUnfinished reads the file of a dead run; ErrFinished where there is none.
func ReadUnfinished(folder string) (*Unfinished, error) {
	data, err := source.ReadFile(filepath.Join(folder, unfinishedFile), mostUnfinished)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("resume the run in %s: %w", folder, ErrFinished)
	}
	if err != nil {
		return nil, fmt.Errorf("resume the run in %s: %w", folder, err)
	}
	var u Unfinished
	if err := json.Unmarshal(data, &u); err != nil {
		return nil, fmt.Errorf("resume the run in %s: read %s: %w", folder, unfinishedFile, err)
	}
	return &u, nil
}
