package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/fault"
)

// faultsCommand is `rehearse faults`.
func faultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "faults",
		Short: "List the faults that a scenario can ask for",
		Args:  arguments(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			t := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, k := range fault.Kinds() {
				fmt.Fprintf(t, "%s\t%s\n\tat: %s\n\tevidence: %s\n", k.Name, k.Does, k.Where, k.Evidence)
			}
			return t.Flush()
		},
	}
}
