package main

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/scenarios"
)

// completing completes the first argument of a command by names that are known.
func completing(names func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// completingScenarios completes arguments by the names of built-in scenarios, and by
// files.
func completingScenarios(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	names, err := scenarios.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args, name) }), cobra.ShellCompDirectiveDefault
}

// completingRuns completes arguments by the saved runs of the folder that they are
// kept in by default, the latest first, and by other folders.
func completingRuns(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	found, err := filepath.Glob(filepath.Join(runsFolder, "*", "events.jsonl"))
	if err != nil {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	var runs []string
	for _, file := range found {
		runs = append(runs, filepath.Dir(file))
	}
	slices.Reverse(runs) // they are named by their time
	return runs, cobra.ShellCompDirectiveFilterDirs | cobra.ShellCompDirectiveKeepOrder
}

// completes completes a flag by its values. The flag must exist.
func completes(command *cobra.Command, flag string, values ...string) {
	err := command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // no such flag: a mistake in this program, found by any test of it
	}
}
