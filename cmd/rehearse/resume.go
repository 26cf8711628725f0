package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/reports"
)

// resume is `rehearse run --resume DIR`: it ends a run whose harness was killed. Its exit code says
// whether authority and store agree.
func (f *runFlags) resume(command *cobra.Command) error {
	u, err := harness.ReadUnfinished(f.dir)
	if err != nil {
		return usage(err)
	}
	name := u.File
	if name == "" {
		name = u.Scenario
	}
	p, err := planOf(name, u.PlanOptions())
	if err != nil {
		return err
	}
	// The folder may be anybody's: the token goes only where the command line says.
	o := harness.ResumeOptions{Finish: f.finish, VaultAddr: f.vaultAddr}
	switch o.VaultToken = os.Getenv(vaultTokenVariable); {
	case u.VaultAddr == "" && f.vaultAddr != "":
		return usage(fmt.Errorf("--resume: the run in %s started its store itself: leave --vault-addr out", f.dir))
	case strings.TrimRight(u.VaultAddr, "/") != strings.TrimRight(f.vaultAddr, "/"):
		return usage(fmt.Errorf("--resume: by its folder the run used the Vault at %q: say --vault-addr again, if that is the one", u.VaultAddr))
	case f.vaultAddr != "" && o.VaultToken == "":
		return usage(fmt.Errorf("--resume: the run used the Vault at %s, and %s is empty", u.VaultAddr, vaultTokenVariable))
	}
	resumed, err := harness.Resume(command.Context(), p, u, f.dir, o)
	if err != nil {
		return err
	}
	command.Println(plaintext.Line(resumed.Did))
	if err := reports.WriteFolder(f.dir, modelOf(resumed.Outcome)); err != nil {
		return err
	}
	switch a := resumed.Agreement; {
	case len(a.Differences) > 0:
		return &exitError{exitFail, errors.New("authority and store do not agree: " + strings.Join(a.Differences, "; "))}
	case !a.Compared:
		return &exitError{exitFail, errors.New("nobody could say whether authority and store agree: " + a.Why)}
	}
	command.Println("authority and store agree with the keyring; what was left of the run is removed")
	return nil
}

// checkResume refuses flags that make no sense with --resume, or without it.
func (f *runFlags) checkResume(command *cobra.Command, args []string) error {
	if f.dir == "" {
		if f.finish {
			return usage(errors.New("--finish is for --resume"))
		}
		return nil
	}
	if len(args) > 0 {
		return usage(fmt.Errorf("--resume knows what the run in %s rehearsed: leave %s out", f.dir, args[0]))
	}
	for _, name := range []string{"gates", "rollback-from", "speed", "seed", "out", "hold", "runtime", "store"} {
		if command.Flags().Changed(name) {
			return usage(fmt.Errorf("--resume takes a run as it was: leave --%s out", name))
		}
	}
	return nil
}
