package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// cleanCommand is `rehearse clean`.
func cleanCommand() *cobra.Command {
	var images bool
	var vaultAddr, context string
	command := &cobra.Command{
		Use:   "clean",
		Short: "Remove what runs that died have left",
		Long: "Remove processes, containers, networks and namespaces of runs that died; namespaces of the\n" +
			"cluster of the kubeconfig, where one answers. What belongs to a run\n" +
			"that is alive is not touched, and neither are the folders of runs. What they left in a\n" +
			"Vault that was named to them is told, and removed where --vault-addr names it again:\n" +
			"as long as something of it is left the exit code is 4.",
		Args: arguments(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			token, err := tokenOf(vaultAddr)
			if err != nil {
				return err
			}
			swept, err := leftover.Sweep(command.Context(), leftover.DefaultDir(), harness.Places(vaultAddr, token, launch.Place{Context: context}))
			removed := swept.Removed
			if images {
				tags, notRemoved := docker.RemoveImages(command.Context())
				for _, tag := range tags {
					removed = append(removed, "image "+tag)
				}
				err = errors.Join(err, notRemoved)
			}
			out := plaintext.Writer(command.OutOrStdout()) // it quotes text from records
			for _, what := range removed {
				fmt.Fprintln(out, "removed", what)
			}
			for _, run := range swept.Live {
				fmt.Fprintf(out, "run %s is alive or another user's: left alone\n", run)
			}
			for _, left := range swept.Left {
				fmt.Fprintln(out, leftover.Tell(left))
			}
			if len(removed) == 0 && len(swept.Left) == 0 {
				fmt.Fprintln(out, "nothing to remove")
			}
			if n := len(swept.Left); n > 0 {
				err = errors.Join(err, fmt.Errorf("of %s something is still in a Vault, as told above", plan.Counted(int64(n), "run")))
			}
			if err != nil {
				return fmt.Errorf("%w: %w", harness.ErrCleanUp, err)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&images, "images", false, "remove the images that stand-ins were run from as well")
	command.Flags().StringVar(&context, "context", "", "look in the cluster of this `context` of the kubeconfig (default: its current one)")
	command.Flags().StringVar(&vaultAddr, "vault-addr", "", "remove what they left in the Vault at this `URL` too, with the token in "+vaultTokenVariable)
	return command
}
