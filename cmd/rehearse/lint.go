package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// lintCommand is `rehearse lint PATH…`.
func lintCommand() *cobra.Command {
	var format string
	var known lintKnown
	command := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Hold pages and scenarios against the bounds and rules, without running them",
		Long: "Hold pages and scenarios against the bounds G1 to G3 and the rules of a page, without running\n" +
			"them. A PATH is a page, a scenario (its page is held with its services and overrides), a\n" +
			"built-in scenario, or a folder of them. Exit code 1 where anything is found, and 2 where a\n" +
			"file is none of these, beside which the others are held against the rules.",
		Args:              arguments(cobra.MinimumNArgs(1)),
		ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json", "sarif"); err != nil {
				return err
			}
			findings, files, err := known.lint(command.Context(), args)
			if err != nil {
				return err
			}
			out := command.OutOrStdout()
			switch format {
			case "json":
				err = lint.WriteJSON(out, findings)
			case "sarif":
				err = lint.WriteSARIF(out, findings, version())
			default:
				if err = lint.WriteText(out, findings); err == nil {
					_, err = fmt.Fprintln(out, lintSummary(findings, files))
				}
			}
			switch {
			case err != nil:
			case slices.ContainsFunc(findings, lint.Finding.Invalid):
				err = &exitError{code: exitUsage}
			case len(findings) > 0:
				err = &exitError{code: exitFail}
			}
			return err
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text, json or sarif")
	completes(command, "format", "text", "json", "sarif")
	command.Flags().StringVar(&known.audit, "audit", "", "a file of a Vault audit device: name those who read the secret and are not on its page")
	command.Flags().StringVar(&known.compose, "compose", "", "a compose `FILE`, or a project that runs: name those who are set up with the secret or\n"+
		"its key set and are not on its page")
	command.Flags().StringVar(&known.kubernetes, "kubernetes", "", "`NAMESPACE/SECRET` of the kubeconfig's cluster: name the workloads that have it and are not on its page,\n"+
		"and those that keep it as it was until they are rolled out")
	return command
}

func lintSummary(findings []lint.Finding, files int) string {
	if len(findings) == 0 {
		return fmt.Sprintf("nothing found in %s", counted(files, "file"))
	}
	summary := fmt.Sprintf("\n%s in %s", counted(len(findings), "finding"), counted(files, "file"))
	if slices.ContainsFunc(findings, func(f lint.Finding) bool {
		return f.RuleID == lint.G1.ID || f.RuleID == lint.G2.ID || f.RuleID == lint.G3.ID
	}) {
		summary += "\nwhat less than a bound would risk: rehearse sweep --key lead|window|watch SCENARIO"
	}
	return summary
}

// counted is "1 file", "2 files".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// lintKnown is what lint knows of the parties beside pages and scenarios.
type lintKnown struct {
	audit, compose, kubernetes string
	services                   []lint.ProjectService
	users                      []lint.ClusterUser
}

// lint checks everything that some paths name against the rules. An invalid file is a finding, beside
// those of the others.
func (k *lintKnown) lint(ctx context.Context, paths []string) (findings []lint.Finding, files int, err error) {
	if k.compose != "" {
		if k.services, err = composeServices(ctx, k.compose); err != nil {
			return nil, 0, err
		}
	}
	if k.kubernetes != "" {
		if k.users, err = clusterUsers(ctx, k.kubernetes); err != nil {
			return nil, 0, err
		}
	}
	now := time.Now()
	for _, path := range paths {
		names, err := documentsAt(path)
		if err != nil {
			return nil, 0, err
		}
		for _, name := range names {
			found, err := k.file(name, now)
			if problems, ok := errors.AsType[source.Problems](err); ok {
				found = lint.InvalidFile(problems)
			} else if err != nil {
				return nil, 0, err
			}
			files++
			findings = append(findings, found...)
		}
	}
	if files == 0 {
		return nil, 0, usage(fmt.Errorf("no page or scenario at %s", strings.Join(paths, ", ")))
	}
	return lint.Sort(findings), files, nil
}

// documentsAt names the pages and scenarios at a path: a folder's, or the path
// itself.
func documentsAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == builtIn:
		return scenarios.List()
	case err != nil || !info.IsDir():
		return []string{path}, nil // loading it reports what is wrong
	}
	return ourFiles(path)
}

// file checks one page or scenario against the rules.
func (k *lintKnown) file(name string, now time.Time) ([]lint.Finding, error) {
	if isPage(name) {
		page, err := runbook.LoadFile(name)
		if err != nil {
			return nil, err
		}
		return k.parties(lint.Runbook(page, now), page.Runbook, page.Position("consumers"), nil)
	}
	loaded, err := loadScenario(name)
	if err != nil {
		return nil, err
	}
	found, err := lint.Scenario(loaded, now)
	if err != nil {
		return nil, err
	}
	return k.parties(found, loaded.Runbook, loaded.PagePosition("consumers"), loaded.Scenario.Attach)
}

// parties adds the parties that use the secret of a page, by the audit log, the compose project and the
// cluster, and are not on it.
func (k *lintKnown) parties(found []lint.Finding, page runbook.Runbook, at source.Position, a *scenario.Attach) ([]lint.Finding, error) {
	found = append(found, lint.Project(page, at, k.services)...)
	users, rolledOut := asAttached(k.users, a)
	found = append(found, lint.Cluster(page, at, users, rolledOut)...)
	if k.audit == "" {
		return found, nil
	}
	readers, err := auditReaders(k.audit, page.Storage.Publish.Path)
	return append(found, lint.Readers(page, at, readers)...), err
}

// isAudit reports whether a line is one of a Vault audit device, of a request or
// an answer.
func isAudit(line []byte) bool {
	var l struct {
		Type    string          `json:"type"`
		Request json.RawMessage `json:"request"`
	}
	return json.Unmarshal(line, &l) == nil && (l.Type == "request" || l.Type == "response") && len(l.Request) > 0
}

// maxAuditLine bounds a line of an audit log.
const maxAuditLine = 1 << 20

// auditReaders are the readers of a path in an audit log.
func auditReaders(file, path string) ([]string, error) {
	f, err := source.Open(file)
	if err != nil {
		return nil, usage(fmt.Errorf("read audit log: %w", err))
	}
	defer f.Close()
	var readers []string
	isLog := false
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxAuditLine)
	for lines.Scan() {
		isLog = isLog || isAudit(lines.Bytes())
		line, ok := store.ParseAudit(lines.Bytes())
		reader := strings.TrimPrefix(line.DisplayName, "token-")
		if ok && line.Operation == "read" && line.Path == path && !slices.Contains(readers, reader) {
			readers = append(readers, reader)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, usage(fmt.Errorf("read audit log %s: %w", file, err))
	}
	if !isLog { // an unreadable log must not read as one without readers
		return nil, usage(fmt.Errorf("read audit log %s: no line of it is one of a Vault audit device (a file device writes one JSON object a line)", file))
	}
	return readers, nil
}
