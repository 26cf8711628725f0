package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/reports"
)

// reportCommand is `rehearse report DIR`.
func reportCommand() *cobra.Command {
	var png bool
	command := &cobra.Command{
		Use:   "report DIR",
		Short: "Write the reports of a saved run again",
		Long: "Write the reports of a saved run again, from its result.json and events.jsonl. The verdict\n" +
			"stays as it is; `rehearse judge` judges again.",
		Args: arguments(cobra.ExactArgs(1)), ValidArgsFunction: completingRuns,
		RunE: func(command *cobra.Command, args []string) error {
			dir := args[0]
			model, err := savedModel(dir)
			if err != nil {
				return err
			}
			if err := reports.WriteFolder(dir, model); err != nil {
				return err
			}
			written := []string{"report.html"}
			if png {
				pictures, err := reports.WritePictures(dir, model)
				if err != nil {
					return err
				}
				written = append(written, pictures...)
			}
			for _, name := range written {
				fmt.Fprintln(command.OutOrStdout(), plaintext.Line(filepath.Join(dir, name)))
			}
			return nil
		},
	}
	command.Flags().BoolVar(&png, "png", false, "write the charts as pictures too: before-after.png, over-time.png")
	return command
}

// savedModel reads the model of a run folder's reports.
func savedModel(dir string) (*reports.Model, error) {
	h, limits, err := savedHistory(dir)
	if err != nil {
		return nil, err
	}
	return modelIn(dir, h, limits)
}

// modelIn joins the result.json of a run folder with its history. The error is one of usage, with
// fs.ErrNotExist in its chain where there is no such file.
func modelIn(dir string, h *history.History, limits plan.Limits) (*reports.Model, error) {
	file, err := source.Open(filepath.Join(dir, "result.json"))
	if err != nil {
		return nil, usage(fmt.Errorf("read run %s: %w", dir, err))
	}
	model, err := reports.ReadResult(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, usage(fmt.Errorf("read run %s: %w", dir, err))
	}
	model.Limits, model.Timeline, model.WrittenAt = limits, reports.TimelineOf(h, limits), time.Now()
	return model, nil
}

// withoutResult reports whether a folder has a history and no result.json: the run was cut off.
func withoutResult(err error) bool { return errors.Is(err, fs.ErrNotExist) }
