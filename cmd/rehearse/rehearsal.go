package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/reports"
)

// vaultTokenVariable is the environment variable with the token for
// --vault-addr: never a flag, which others can see.
const vaultTokenVariable = "REHEARSE_VAULT_TOKEN"

// runEnvironment is where a rehearsal takes place: the flags that `run` and `test` share.
type runEnvironment struct {
	runtime, store, vaultAddr string
	at                        launch.Place
	shards                    int
}

func (p *runEnvironment) register(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&p.runtime, "runtime", harness.Auto, "where services run: auto, process, docker, kubernetes,\n"+
		"simulated (in virtual time)")
	f.StringVar(&p.at.Context, "context", "", "with --runtime kubernetes: the `context` of the kubeconfig (default: its current one)")
	f.StringVar(&p.at.Image, "image", "", "with --runtime kubernetes: the `image` of rehearse, which the cluster has or can pull (default: the released one)")
	f.StringVar(&p.store, "store", harness.Auto, "which secrets store is started: auto, embedded, vault")
	f.StringVar(&p.vaultAddr, "vault-addr", "", "use the Vault at this `URL` instead, with the token in "+vaultTokenVariable+";\n"+
		"the run makes a mount of its own there and removes it")
	f.IntVar(&p.shards, "load-shards", 1, "have the load sent by `N` processes, each with its part of the clients' sessions")
	completes(command, "runtime", append([]string{harness.Auto, harness.Simulated}, runtime.Names()...)...)
	completes(command, "store", harness.Auto, harness.Embedded, harness.Vault)
}

// options turns the flags into options of a run; an error is one of usage.
func (p *runEnvironment) options() (harness.Options, error) {
	o := harness.Options{Runtime: p.runtime, Place: p.at, Store: p.store, VaultAddr: p.vaultAddr, LoadShards: p.shards}
	if err := oneOf("--runtime", p.runtime, append([]string{harness.Auto, harness.Simulated}, runtime.Names()...)...); err != nil {
		return o, err
	}
	if err := oneOf("--store", p.store, harness.Auto, harness.Embedded, harness.Vault); err != nil {
		return o, err
	}
	if p.vaultAddr != "" && p.store == harness.Embedded {
		return o, usage(errors.New("--vault-addr names a Vault, and --store embedded does without one: leave one of them out"))
	}
	switch {
	case p.shards < 0:
		return o, usage(fmt.Errorf("--load-shards: %d is less than 1", p.shards))
	case p.shards > 1 && p.runtime == harness.Simulated:
		return o, usage(errors.New("--load-shards: a simulation sends nothing: leave one of them out"))
	}
	var err error
	o.VaultToken, err = tokenOf(p.vaultAddr)
	return o, err
}

// tokenOf is the token for the Vault at an address of the command line; "" where
// there is none.
func tokenOf(vaultAddr string) (string, error) {
	if vaultAddr == "" {
		return "", nil
	}
	if !isBase(vaultAddr) {
		return "", usage(fmt.Errorf("--vault-addr: %q is not an address: want http(s)://HOST:PORT", vaultAddr))
	}
	token := os.Getenv(vaultTokenVariable)
	if token == "" {
		return "", usage(fmt.Errorf("--vault-addr: %s is empty: it must hold a token that may mount and make policies and tokens",
			vaultTokenVariable))
	}
	return token, nil
}

// isBase reports whether a text is the address of a server, and nothing more.
func isBase(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil &&
		strings.TrimSuffix(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// oneOf refuses an unknown value of a flag.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usage(fmt.Errorf("%s: unknown value %q: %s", flag, value, source.DidYouMean(value, allowed)))
}

// runsFolder is where runs are kept unless --out says otherwise.
const runsFolder = "rehearse-runs"

// runFolder is the folder of a run that is started now.
func runFolder(name string, now time.Time) string {
	return filepath.Join(runsFolder, now.Format("20060102-150405")+"-"+folderOf(name))
}

// folderOf is a scenario's name as that of a folder.
func folderOf(name string) string { return strings.ReplaceAll(name, "/", "-") }

// rehearse carries out a plan, with its reports in its folder.
func rehearse(ctx context.Context, p *plan.Plan, o harness.Options) (*harness.Result, error) {
	underWay.Add(1)
	defer underWay.Add(-1)
	o.Report = func(outcome *harness.Result) error { return reports.WriteFolder(outcome.Folder, modelOf(outcome)) }
	return harness.Run(ctx, p, o)
}

// reportIn is the path of the report in a run's folder; empty where it could not
// be written.
func reportIn(folder string) string {
	if !slices.Contains(reports.Written(folder), reports.HTMLFile) {
		return ""
	}
	return filepath.Join(folder, reports.HTMLFile)
}

// resultOf is the end of the stream of --ui json.
func resultOf(o *harness.Result) console.Result {
	return console.Result{
		Verdict: o.Verdict.Verdict, AuthFailures: o.Verdict.AuthFailures, Why: o.Verdict.Why, Ended: o.Ended,
		Findings: reports.ByWeight(o.Verdict.Findings), Folder: o.Folder, Files: reports.Written(o.Folder),
	}
}

// modelOf is the model of a run's reports.
func modelOf(o *harness.Result) *reports.Model {
	return &reports.Model{
		ToolVersion: version(), StartedAt: o.StartedAt,
		Scenario: o.Plan.Name, ScenarioFile: o.Plan.File, Secret: o.Plan.Runbook.Scope.Name, ScenarioDigest: o.Plan.ScenarioDigest, RunbookDigest: o.Plan.RunbookDigest,
		Seed: o.Plan.Seed, Runtime: o.Runtime, Store: o.Store, Speed: o.Plan.Speed,
		Verdict: o.Verdict, Limits: o.Limits, Runbook: &o.Plan.Runbook,
		Timeline: reports.TimelineOf(o.History, o.Limits), WrittenAt: time.Now(),
	}
}
