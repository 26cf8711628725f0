package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// The files that `rehearse init` writes.
const (
	initPage     = "runbook.yaml"
	initScenario = "page.yaml"
	initJob      = "github-actions.yml"
)

//go:embed CI.md
var ciGuide string

// initCommand is `rehearse init DIR`.
func initCommand() *cobra.Command {
	var family string
	command := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a folder to begin with: a page, a scenario that rehearses it, and a CI job",
		Long: "Write a folder to begin with: the page of a secret to fill in, a scenario that rehearses it with\n" +
			"stand-ins, and a job for GitHub Actions that gates on it. Nothing that is there is written over.",
		Example: "  rehearse init rehearsals --family api-key",
		Args:    arguments(cobra.ExactArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--family", family, runbook.FamilyNames()...); err != nil {
				return err
			}
			return begin(command, args[0], family)
		},
	}
	command.Flags().StringVar(&family, "family", "jwt-signing-key", "which secret: "+strings.Join(runbook.FamilyNames(), ", "))
	completes(command, "family", runbook.FamilyNames()...)
	return command
}

// begin writes the files into a folder, none where one of them is there.
func begin(command *cobra.Command, dir, family string) error {
	page, _ := runbook.New(family)
	made, err := scenarioFor(page, initPage)
	if err != nil {
		return err
	}
	files := []struct {
		name, what string
		content    []byte
	}{
		{initPage, "the page: fill in what only you know", page},
		{initScenario, "a scenario that rehearses it with stand-ins: replace them by your own", made},
		{initJob, "a job: copy it to .github/workflows/rehearse.yml", jobOf(dir)},
	}
	for _, f := range files {
		switch _, err := os.Lstat(filepath.Join(dir, f.name)); {
		case err == nil:
			return usage(fmt.Errorf("%s is there already: name another folder", filepath.Join(dir, f.name)))
		case !errors.Is(err, fs.ErrNotExist):
			return usage(fmt.Errorf("look into %s: %w", dir, err))
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { // the user's own files, with the usual mode
		return usage(fmt.Errorf("make the folder: %w", err))
	}
	out := command.OutOrStdout()
	for _, f := range files {
		if err := writeNew(filepath.Join(dir, f.name), f.content); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %s\n", filepath.Join(dir, f.name), f.what)
	}
	_, err = fmt.Fprintf(out, "\nNext: rehearse lint %s, then rehearse run %s\n", plaintext.Shell(dir), plaintext.Shell(filepath.Join(dir, initScenario)))
	return err
}

// writeNew writes a file that is not there.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return usage(fmt.Errorf("write a file: %w", err))
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// jobOf is the first job of the guide to CI, for a folder.
func jobOf(dir string) []byte {
	_, rest, _ := strings.Cut(ciGuide, "```yaml\n")
	job, _, _ := strings.Cut(rest, "```")
	dir = filepath.ToSlash(filepath.Clean(dir))
	run := folderOf(dir + "/" + strings.TrimSuffix(initScenario, ".yaml"))
	return []byte(strings.NewReplacer(
		"rehearsals/runbook.yaml", dir+"/"+initPage, "--out out rehearsals", "--out out "+dir, "out/rehearsals-page/", "out/"+run+"/",
	).Replace(job))
}
