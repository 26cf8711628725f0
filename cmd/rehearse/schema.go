package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// schemaCommand is `rehearse schema KIND`.
func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema {runbook|scenario}",
		Short:     "Print the JSON Schema of a page or a scenario, for editors",
		Args:      arguments(cobra.ExactArgs(1)),
		ValidArgs: []string{"runbook", "scenario"},
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("schema", args[0], command.ValidArgs...); err != nil {
				return err
			}
			schema, err := runbook.Schema()
			if args[0] == "scenario" {
				schema, err = scenario.Schema(fault.Names()...)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%s\n", schema)
			return err
		},
	}
}
