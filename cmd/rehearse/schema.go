package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/reports"
)

// schemaCommand is `rehearse schema KIND`.
func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema {runbook|scenario|stream|result}",
		Short: "Print the JSON Schema of a page or a scenario, for editors, or of what a run writes",
		Long: "Print the JSON Schema (draft 2020-12) of a page or a scenario, for editors; of a line of\n" +
			"`run --ui json` and of events.jsonl (stream); or of result.json (result).",
		Args:      arguments(cobra.ExactArgs(1)),
		ValidArgs: []string{"runbook", "scenario", "stream", "result"},
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("schema", args[0], command.ValidArgs...); err != nil {
				return err
			}
			schema, err := map[string]func() ([]byte, error){
				"runbook":  runbook.Schema,
				"scenario": func() ([]byte, error) { return scenario.Schema(fault.Names()...) },
				"stream":   console.StreamSchema,
				"result":   reports.ResultSchema,
			}[args[0]]()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%s\n", schema)
			return err
		},
	}
}
