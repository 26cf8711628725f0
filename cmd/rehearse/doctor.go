package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// doctorCommand is `rehearse doctor`.
func doctorCommand() *cobra.Command {
	measure := false
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can run",
		Args:  arguments(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			t := tabwriter.NewWriter(plaintext.Writer(command.OutOrStdout()), 0, 0, 2, ' ', 0)
			say := func(what, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", what, fmt.Sprintf(format, args...)) }
			say("rehearse", "%s, %s, %s/%s, %d CPUs", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
			if executable, err := os.Executable(); err == nil {
				say("binary", "%s", executable)
			}
			auto := harness.Process
			if engine, err := docker.Available(command.Context()); err != nil {
				say("docker", "no: %v", err)
			} else {
				say("docker", "%s", engine)
				auto = harness.Docker
			}
			if cluster, err := kubernetes.Available(command.Context(), launch.Place{}); err != nil {
				say("kubernetes", "no: %v", err)
			} else {
				say("kubernetes", "%s", cluster)
			}
			say("processes", "yes, on loopback")
			say("--runtime auto", "is %s", auto)
			if path, err := store.FindVault(); err != nil {
				say("vault", "no binary: %v", err)
			} else {
				say("vault", "%s", path)
				say("static roles", "%s", staticRoles(path))
			}
			for _, kind := range server.Kinds() {
				program := server.Programs[kind]
				if path, err := program.Found(); err != nil {
					say(kind, "no: %v", err)
				} else {
					say(kind, "%s", path)
				}
			}
			say("--store auto", "is %s", harness.Embedded)
			if path, err := exec.LookPath("go"); err != nil {
				say("go", "no: images are made of the binary itself, or pulled")
			} else {
				say("go", "%s", path)
			}
			say("live runs", "recorded in %s", leftover.DefaultDir())
			if err := t.Flush(); err != nil || !measure {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), "\nHow many requests a second it holds, doubled until it does not:")
			if err := measureRate(command.Context(), t, rehearseAt); err != nil {
				return err
			}
			return t.Flush()
		},
	}
	command.Flags().BoolVar(&measure, "measure", false, "rehearse at rising rates, some fifteen seconds at each, and say which load this machine holds")
	return command
}

// staticRoles says whether a Vault can rotate the passwords of a PostgreSQL server.
func staticRoles(vault string) string {
	switch plugin, err := store.PluginBeside(vault); {
	case err != nil:
		return "no: " + err.Error()
	case plugin.Folder != "":
		return "with the plugin in " + plugin.Folder
	}
	return "if this Vault has its PostgreSQL plugin built in, as the releases of HashiCorp do; `make vault` builds one with it"
}
