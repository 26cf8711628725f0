package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// scenarioCommand is `rehearse scenario`, of which there is only `new PAGE`.
func scenarioCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "scenario",
		Short: "Print a scenario that rehearses a page",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use:   "new PAGE",
		Short: "Print a scenario that rehearses a page as it stands, with stand-ins and load for all on it",
		Long: "Print a scenario that rehearses a page as it stands: a stand-in and load for each of its consumers.\n" +
			"It names the page as it was named here: write it where that is right.",
		Example: "  rehearse scenario new runbook.yaml > page.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, args []string) error {
			if _, err := runbook.LoadFile(args[0]); err != nil { // which names the file
				return err
			}
			page, err := source.ReadFile(args[0], source.MaxBytes)
			if err != nil {
				return usage(fmt.Errorf("read the page: %w", err))
			}
			text, err := scenarioFor(page, args[0])
			if err != nil {
				return err
			}
			if _, err = command.OutOrStdout().Write(text); err != nil {
				return fmt.Errorf("print a scenario: %w", err)
			}
			return nil
		},
	})
	return command
}

// quickest bounds the speed of a new scenario: a rotation of minutes then takes seconds, and a person
// can still follow it.
const quickest = 60

// scenarioFor writes the scenario of a page, which it calls file, at the largest speed that a plan of
// both allows. For that plan they are put into a temporary folder.
func scenarioFor(page []byte, file string) (made []byte, err error) {
	dir, err := os.MkdirTemp("", "rehearse-new-")
	if err != nil {
		return nil, fmt.Errorf("make a scenario: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := writeNew(filepath.Join(dir, initPage), page); err != nil {
		return nil, err
	}
	loaded, err := runbook.LoadFile(filepath.Join(dir, initPage))
	if err != nil {
		return nil, err
	}
	slowest, err := scenario.New(loaded.Runbook, initPage, 1)
	if err != nil {
		return nil, usage(err)
	}
	if err := writeNew(filepath.Join(dir, initScenario), slowest); err != nil {
		return nil, err
	}
	p, err := planOf(filepath.Join(dir, initScenario), plan.Options{})
	if err != nil {
		return nil, err
	}
	return scenario.New(loaded.Runbook, file, min(quickest, math.Floor(p.MaxSpeed)))
}
