package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/reports"
	"github.com/rehearse-dev/rehearse/reports/inventory"
)

// inventoryCommand is `rehearse inventory DIR`.
func inventoryCommand() *cobra.Command {
	var format, runs string
	var only inventory.Filter
	command := &cobra.Command{
		Use:   "inventory DIR",
		Short: "List the secrets of a folder of pages: owners, reviews, last rehearsals",
		Long: "List the secrets of the pages in a folder: owner, cadence, next review, and the last rehearsal\n" +
			"with its verdict: ✓ it passed as the page is now, ✗ it failed or something is overdue, ? nobody\n" +
			"knows. What was only simulated is no rehearsal. Exit code 1 where a review, or a rehearsal by the page's cadence, is overdue;\n" +
			"2 where a page is invalid, beside which the others are listed.",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "table", "json", "ics", "message"); err != nil {
				return err
			}
			pages, invalid, err := pagesIn(args[0])
			if err != nil {
				return err
			}
			saved, err := runsIn(runs, command.Flags().Changed("runs"))
			if err != nil {
				return err
			}
			now := time.Now()
			secrets := only.Of(inventory.Of(pages, saved, now))
			out := command.OutOrStdout()
			switch format {
			case "json":
				err = inventory.WriteJSON(out, secrets)
			case "ics":
				err = inventory.WriteICalendar(out, secrets, now)
			case "message":
				err = inventory.WriteMessage(out, secrets)
			default:
				err = inventory.WriteTable(out, secrets)
			}
			switch {
			case err != nil:
				return err
			case invalid.Err() != nil:
				return invalid.Err()
			case inventory.Overdue(secrets):
				return &exitError{code: exitFail}
			}
			return nil
		},
	}
	command.Flags().StringVar(&format, "format", "table", "table, json, ics (a calendar) or message (for a team's channel)")
	completes(command, "format", "table", "json", "ics", "message")
	command.Flags().StringVar(&only.Owner, "owner", "", "only those of this owner")
	command.Flags().StringVar(&only.Family, "family", "", "only those of this family")
	completes(command, "family", runbook.FamilyNames()...)
	command.Flags().BoolVar(&only.Overdue, "overdue", false, "only those of which something is overdue")
	command.Flags().StringVar(&runs, "runs", runsFolder, "the folder in which saved runs are looked for")
	return command
}

// pagesIn are the pages of a folder, and the problems of those that are invalid. It fails where all
// are.
func pagesIn(folder string) (pages []inventory.Page, invalid source.Problems, err error) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, nil, usage(fmt.Errorf("%s is no folder: name the one with the pages", folder))
	}
	files, err := yamlFiles(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		if !isPage(file) {
			continue
		}
		page, err := runbook.LoadFile(file)
		if err != nil {
			invalid = append(invalid, source.AsProblems(file, err)...)
			continue
		}
		pages = append(pages, inventory.Page{File: file, Loaded: page})
	}
	switch {
	case len(pages) > 0:
		return pages, invalid, nil
	case invalid.Err() != nil:
		return nil, nil, invalid.Err()
	}
	return nil, nil, usage(fmt.Errorf("no page in %s", folder))
}

// runsIn are the saved runs in and below a folder, which must exist only where it was asked for. Files
// that are no results of ours are skipped.
func runsIn(folder string, asked bool) ([]inventory.Run, error) {
	if _, err := os.Stat(folder); err != nil && !asked {
		return nil, nil
	}
	var runs []inventory.Run
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "result.json" || entry.IsDir() {
			return err
		}
		f, err := source.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		model, err := reports.ReadResult(f)
		if errors.Is(err, reports.ErrSchema) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		runs = append(runs, inventory.Run{Folder: filepath.Dir(file), Model: model})
		return nil
	})
	if err != nil {
		return nil, usage(fmt.Errorf("look for saved runs: %w", err))
	}
	return runs, nil
}
