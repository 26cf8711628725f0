package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/reports"
)

// judgeCommand is `rehearse judge DIR`.
func judgeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "judge DIR",
		Short: "Judge a saved run again; the exit code is the verdict",
		Long: "Judge a saved run again, from its events.jsonl, and write its result.json and its reports anew.\n" +
			"A folder without a result.json is judged too, and gets no reports.",
		Args: arguments(cobra.ExactArgs(1)), ValidArgsFunction: completingRuns,
		RunE: func(command *cobra.Command, args []string) error {
			dir := args[0]
			h, limits, err := savedHistory(dir)
			if err != nil {
				return err
			}
			verdict := rules.Judge(h, limits)
			reported, err := judgeReports(dir, h, limits, verdict)
			if _, unusable := errors.AsType[*exitError](err); unusable {
				return err
			}
			out := command.OutOrStdout()
			// A report that cannot be written does not change the verdict.
			err = errors.Join(err, console.PrintVerdict(out, verdict, limits, reported, lookOf(out)))
			if err != nil {
				return err
			}
			return verdictExit(verdict.Verdict)
		},
	}
}

// judgeReports rewrites the reports of a saved run with its new verdict, and returns the path of the
// one to read; empty where the folder does not say what was run, or it could not be written.
func judgeReports(dir string, h *history.History, limits plan.Limits, verdict judge.Verdict) (string, error) {
	model, err := modelIn(dir, h, limits)
	if withoutResult(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	model.Verdict = verdict
	if err := reports.WriteFolder(dir, model); err != nil {
		return "", err
	}
	return reportIn(dir), nil
}

// savedHistory reads the history of a run folder. A problem with it is an error of usage: the folder is
// the command's input.
func savedHistory(dir string) (*history.History, plan.Limits, error) {
	fail := func(err error) (*history.History, plan.Limits, error) {
		return nil, plan.Limits{}, usage(fmt.Errorf("read run %s: %w", dir, err))
	}
	file, err := source.Open(filepath.Join(dir, harness.EventsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, plan.Limits{}, usage(fmt.Errorf("%s is no run folder: it has no %s; what `rehearse run` writes, below %s or where --out says, is one",
			dir, harness.EventsFile, runsFolder))
	}
	if err != nil {
		return fail(err)
	}
	defer file.Close()
	h, err := history.ReadFile(file, file.Name())
	if err != nil {
		return fail(err)
	}
	limits, err := rules.Limits(h)
	if err != nil {
		return fail(err)
	}
	return h, limits, nil
}
