// Command rehearse takes a secret through its rotation under load, on this
// machine, and says whether auth failures stayed flat.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/store"
)

func main() { os.Exit(execute()) }

// execute runs the command line and returns the exit code.
func execute() int {
	// First: the only Vault that rehearse talks to is the one that the command line names.
	if err := store.ForgetEnvironment(); err != nil {
		fmt.Fprintln(os.Stderr, "rehearse:", err)
		return exitCannot
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP) // a closed window, a lost connection
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	// The first signal ends things in order. The second ends them at once, after saying what may be
	// left.
	context.AfterFunc(ctx, func() {
		atOnce(signals)
		stop()
	})
	err := rootCommand().ExecuteContext(ctx)
	if text := message(err); text != "" {
		fmt.Fprintln(os.Stderr, text)
	}
	return exitCode(err)
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "rehearse",
		Short: "Rehearse the rotation of a secret under load",
		Long: "Rehearse the rotation of a secret under load, and say whether auth failures stayed flat.\n\n" +
			"Exit codes: 0 pass · 1 fail · 2 bad usage or an invalid file · 3 inconclusive ·\n" +
			"4 could not run, could not clean up, or could not keep what it wrote · 130 interrupted,\n" +
			"after everything was undone.",
		Version:       version(),
		Args:          noSuchCommand,
		SilenceErrors: true, // execute prints them
		SilenceUsage:  true,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	cobra.AddTemplateFunc("versionText", versionText) // called for --version only: it reads the whole binary
	root.SetVersionTemplate("{{versionText}}")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(
		runCommand(), simulateCommand(), testCommand(), judgeCommand(), reportCommand(), compareCommand(),
		lintCommand(), kubernetesCommand(), planCommand(), sweepCommand(), initCommand(), runbookCommand(), scenarioCommand(), inventoryCommand(),
		scenariosCommand(), faultsCommand(), schemaCommand(), doctorCommand(), cleanCommand(),
		serveCommand(), seedCommand(), turnCommand(),
	)
	return root
}

// noSuchCommand refuses an unknown command, and suggests the one that was meant.
func noSuchCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usage(fmt.Errorf("unknown command %q: %s", args[0], source.DidYouMean(args[0], names)))
}

// arguments makes cobra's errors about arguments errors of usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if err := check(command, args); err != nil {
			return usage(err)
		}
		return nil
	}
}
