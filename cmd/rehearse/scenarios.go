package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/scenarios"
)

// scenariosCommand is `rehearse scenarios`.
func scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scenarios",
		Short: "List the scenarios that are built in",
		Args:  arguments(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			names, err := scenarios.List()
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, name := range names {
				loaded, err := loadScenario(name)
				if err != nil {
					return err
				}
				expected := ""
				if e := loaded.Scenario.Expect; e != nil {
					expected = e.Verdict
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", name, expected, loaded.Scenario.Description)
			}
			return t.Flush()
		},
	}
}
