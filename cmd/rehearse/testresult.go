package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/reports"
)

// result is the result of one scenario.
type result struct {
	plan        *plan.Plan
	began       time.Time
	took        time.Duration
	outcome     *harness.Result // nil: it could not be run
	err         error
	differences []string // from what was expected
	skipped     string   // why it was not run; empty: it was
}

// Reasons for which a valid scenario has no verdict.
var (
	errNoTurn      = errors.New("interrupted before its turn")
	errInterrupted = errors.New("interrupted")
)

// requireDocker is the environment variable that makes it an error that this machine cannot run a
// scenario. Without it such a scenario is skipped.
const requireDocker = "REHEARSE_REQUIRE_DOCKER"

// hold compares a result with what its scenario expects.
func (r *result) hold() {
	missing, noServer := errors.AsType[*server.MissingError](r.err)
	if errors.Is(r.err, harness.ErrNotSimulated) {
		r.skipped, r.err = r.err.Error(), nil
		return
	}
	skippable := noServer && !missing.Program.Required() || errors.Is(r.err, harness.ErrNotHere) && os.Getenv(requireDocker) == ""
	if skippable && !errors.Is(r.err, harness.ErrCleanUp) {
		r.skipped, r.err = r.err.Error(), nil
		return
	}
	if r.err == nil && r.outcome.Ended == history.EndedInterrupted {
		r.err = errInterrupted
	}
	if r.err == nil {
		r.differences = harness.Differences(r.plan.Rehearsal.Expect, r.outcome.Verdict)
	}
}

// asExpected says whether the scenario could be run and met its expectation.
func (r result) asExpected() bool { return r.err == nil && r.skipped == "" && len(r.differences) == 0 }

// row is the result as the console's table has it.
func (r result) row() console.Row {
	row := console.Row{Name: r.plan.Name, Expected: r.asExpected(), Took: r.took, Reasons: r.differences}
	if r.skipped != "" {
		row.Came, row.Skipped, row.Reasons = "skipped", true, []string{r.skipped}
	}
	if r.outcome != nil {
		row.Came = string(r.outcome.Verdict.Verdict)
		row.Report = reportIn(r.outcome.Folder)
	}
	if r.err != nil {
		row.Came = "could not run"
		if errors.Is(r.err, errInterrupted) {
			row.Came = "interrupted"
		}
		row.Reasons = strings.Split(r.err.Error(), "\n")
	}
	return row
}

// suite is the result as a suite of JUnit.
func (r result) suite() reports.Suite {
	if r.err != nil {
		return reports.Suite{Name: r.plan.Name, Started: r.began, Took: r.took, Cases: []reports.Case{
			{Name: "as expected", Outcome: reports.CouldNotRun, Message: r.err.Error()},
		}}
	}
	if r.skipped != "" {
		return reports.Suite{Name: r.plan.Name, Started: r.began, Took: r.took, Cases: []reports.Case{
			{Name: "as expected", Outcome: judge.Skipped, Message: r.skipped},
		}}
	}
	var rules []string
	for _, f := range r.plan.Rehearsal.Expect.Findings {
		rules = append(rules, f.RuleID)
	}
	return reports.SuiteOfExpectation(modelOf(r.outcome), r.differences, rules...)
}

// junitFile is the name of the suites' file in the folder of a test.
const junitFile = "junit.xml"

// suiteFiles are the JUnit files of a test, opened before anything is started: a file that cannot be
// written must not be found out after ten minutes.
type suiteFiles []*os.File

// openSuites creates the file in the folder of the test and the one that was asked for, if any. A
// failure is an error of usage.
func openSuites(own, asked string) (suiteFiles, error) {
	fail := func(err error) (suiteFiles, error) {
		return nil, usage(fmt.Errorf("write results of the test: %w", err))
	}
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		return fail(err)
	}
	first, err := os.OpenFile(own, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fail(fmt.Errorf("%s is there: name a folder that holds no other test", own))
	}
	if err != nil {
		return fail(err)
	}
	files := suiteFiles{first}
	if asked == "" {
		return files, nil
	}
	second, err := os.Create(asked)
	if err != nil {
		return fail(errors.Join(err, first.Close(), os.Remove(own)))
	}
	return append(files, second), nil
}

// write writes a suite for each scenario to all the files, and closes them.
func (files suiteFiles) write(results []result) error {
	suites := make([]reports.Suite, len(results))
	for i, r := range results {
		suites[i] = r.suite()
	}
	var errs []error
	for _, file := range files {
		if err := errors.Join(reports.WriteJUnit(file, suites), file.Close()); err != nil {
			errs = append(errs, fmt.Errorf("write %s: %w", file.Name(), err))
		}
	}
	return errors.Join(errs...)
}
