package main

import (
	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// simulateCommand is `rehearse simulate [SCENARIO]`.
func simulateCommand() *cobra.Command {
	f := runFlags{runEnvironment: runEnvironment{runtime: harness.Simulated, store: harness.Auto}}
	var many manyFlags
	command := &cobra.Command{
		Use:   "simulate [SCENARIO]",
		Short: "Rehearse one scenario in virtual time, in milliseconds; the exit code is the verdict",
		Long: "Rehearse one scenario in virtual time: nothing is started, and the parties behave by the figures\n" +
			"of page, scenario and libraries. Gates, judge and reports are those of `rehearse run`, and all\n" +
			"that is written says that it was simulated. What cannot be simulated is said, with exit code 2.\n\n" +
			"With --runs it is rehearsed many times, each time with other ages of caches, polls and sessions,\n" +
			"and what is told is how often it fails, and who is refused how much.",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			name := scenarios.Default
			if len(args) > 0 {
				name = args[0]
			}
			if command.Flags().Changed("runs") {
				return many.simulate(command, &f, name)
			}
			return f.run(command, name)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.gates, "gates", "", "over the scenario's: enforce, observe, off")
	flags.Float64Var(&f.speed, "speed", 0, "over the scenario's: what the durations of the page are divided by. Rates and what is\n"+
		"judged by the second are not: it is part of the rehearsal")
	flags.Int64Var(&f.seed, "seed", 0, "over the scenario's: decides the ages of caches, polls and sessions")
	flags.StringVar(&f.out, "out", "", "`folder` of the run's files (default "+runsFolder+"/TIME-NAME)")
	flags.StringVar(&f.ui, "ui", uiAuto, "how it is told: plain (lines; auto is that), tui (a screen that shows it again, within a minute),\n"+
		"json (events, one a line; with --runs the figures)")
	flags.BoolVar(&f.yes, "yes", false, "leave the screen at the end")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tell of every service, fetch and read too")
	flags.IntVar(&many.runs, "runs", 1, "rehearse it `N` times, with seeds from --seed on, and tell the distribution")
	completes(command, "gates", string(scenario.Enforce), string(scenario.Observe), string(scenario.Off))
	completes(command, "ui", uiAuto, uiTUI, uiPlain, uiJSON)
	return command
}
