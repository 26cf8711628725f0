package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/reports"
)

// compareFormats are the ways in which a comparison is written, by --format.
var compareFormats = map[string]func(io.Writer, *reports.Comparison) error{
	"text": reports.WriteCompareText, "md": reports.WriteCompareMarkdown, "json": reports.WriteCompareJSON,
}

// compareCommand is `rehearse compare BEFORE AFTER`.
func compareCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "Put two saved runs side by side; exit 1 on a regression",
		Long: "Put two run folders side by side, as before and after a fix, and say what got worse or better.\n\n" +
			reports.Counted + "\n\n" +
			"Exit codes: 0 no regression · 1 a regression · 2 no run, or runs of different secrets.",
		Args: arguments(cobra.ExactArgs(2)), ValidArgsFunction: completingRuns,
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--format", format, slices.Sorted(maps.Keys(compareFormats))...); err != nil {
				return err
			}
			comparison, err := compareFolders(args[0], args[1])
			if err != nil {
				return err
			}
			if err := compareFormats[format](command.OutOrStdout(), comparison); err != nil {
				return err
			}
			if comparison.Regression() {
				return &exitError{code: exitFail}
			}
			return nil
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text, md (for a pull request), json")
	completes(command, "format", slices.Sorted(maps.Keys(compareFormats))...)
	return command
}

// compareFolders compares two saved runs. That they cannot be compared is an
// error of usage.
func compareFolders(before, after string) (*reports.Comparison, error) {
	b, err := savedModel(before)
	if err != nil {
		return nil, err
	}
	a, err := savedModel(after)
	if err != nil {
		return nil, err
	}
	comparison, err := reports.Compare(b, a)
	if errors.Is(err, reports.ErrNotComparable) {
		return nil, usage(fmt.Errorf("compare %s and %s: %w", before, after, err))
	}
	return comparison, err
}
