package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/fakes"
	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/load"
)

// services are the services that this binary can run, by name: the stand-ins of package fakes, and a
// line for each that lives elsewhere.
func services() map[string]standin.Service {
	all := maps.Clone(fakes.Services)
	all["load"] = load.Serve
	all["store"] = store.Serve
	return all
}

// serveCommand is `rehearse serve NAME`, by which the runtimes start every
// stand-in.
func serveCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "serve NAME",
		Short: "Run one stand-in service; the runtimes do so",
		Long: "Run one stand-in service until it is told to end.\n\n" +
			"Its configuration is JSON in " + contract.Variable + ", or in what the descriptor in\n" + contract.SealedFDVariable + " or the file in " + contract.SealedFileVariable + " has. It listens on the descriptor in " + contract.ListenFDVariable +
			",\nelse on the address in " + contract.ListenVariable + " (default " + contract.DefaultListen + "); with " +
			contract.LifelineVariable + "=stdin it ends when its\nstandard input does.",
		Args: arguments(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	all := services()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		command.AddCommand(serviceCommand(name, all[name]))
	}
	command.AddCommand(&cobra.Command{
		Use: "copy FILE", Hidden: true, SilenceUsage: true, Args: arguments(cobra.ExactArgs(1)),
		Short: "Copy this binary, for an image that has another's program",
		RunE:  func(_ *cobra.Command, args []string) error { return copySelf(args[0]) },
	})
	return command
}

// copySelf copies this binary into a file that can be run.
func copySelf(to string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("copy this binary: %w", err)
	}
	from, err := os.Open(self)
	if err != nil {
		return fmt.Errorf("copy this binary: %w", err)
	}
	defer from.Close()
	into, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("copy this binary: %w", err)
	}
	_, err = io.Copy(into, from)
	if err := errors.Join(err, into.Close()); err != nil {
		return fmt.Errorf("copy this binary: %w", err)
	}
	return nil
}

func serviceCommand(name string, service standin.Service) *cobra.Command {
	return &cobra.Command{
		Use:          name,
		Short:        "Run the stand-in " + name,
		Args:         arguments(cobra.NoArgs),
		SilenceUsage: true, // an error is in the configuration, not in the command line
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			process := standin.Process{Getenv: os.Getenv, Stdin: command.InOrStdin(), Stdout: command.OutOrStdout()}
			if err := process.Run(ctx, service); err != nil {
				return fmt.Errorf("serve %s: %w", name, err)
			}
			return nil
		},
	}
}
