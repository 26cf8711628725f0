package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// runbookCommand is `rehearse runbook`, of which there is only `new FAMILY`.
func runbookCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "runbook",
		Short: "Print a page to fill in",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use:       "new FAMILY",
		Short:     "Print the page of a family: its nine fields, with a comment on how to fill each",
		Example:   "  rehearse runbook new api-key > runbook.yaml",
		Args:      arguments(cobra.ExactArgs(1)),
		ValidArgs: runbook.FamilyNames(),
		RunE: func(command *cobra.Command, args []string) error {
			page, ok := runbook.New(args[0])
			if !ok {
				return usage(fmt.Errorf("there is no family %q: %s", args[0], source.DidYouMean(args[0], runbook.FamilyNames())))
			}
			_, err := command.OutOrStdout().Write(page)
			return err
		},
	})
	return command
}
