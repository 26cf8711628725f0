package accuracy

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// Flags of `make cases`: none is rehearsed unless it is asked for.
var (
	caseTimes  = flag.Int("cases", 0, "how many times each case is rehearsed")
	caseBinary = flag.String("binary", "", "the rehearse `file` that rehearses cases")
	caseFolder = flag.String("cases-out", "", "`folder` of their runs: what is there of this binary is not rehearsed again")
	caseTurn   = flag.Int("turn", -1, "only the tenth whose turn it is, by this number: the day of the year")
	caseOnly   = flag.String("only", "", "only cases whose name has this `text`")
	caseDocker = flag.Bool("containers", false, "in containers too, where all services are stand-ins")
)

// caseLimit bounds one rehearsal of a case.
const caseLimit = 10 * time.Minute

func answersOf(t *testing.T) []Answer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("cases", "answers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	answers, err := ParseAnswers(string(text))
	if err != nil {
		t.Fatalf("cases/answers.txt: %v", err)
	}
	return answers
}

// caseNames are all scenarios of the folder.
func caseNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("cases", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Base(file) != "runbook.yaml" {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "cases/"), ".yaml"))
		}
	}
	return names
}

// TestCases rehearses the cases with the built binary, and accepts none that is
// wrong. What cannot be told is told in its row.
func TestCases(t *testing.T) {
	if *caseTimes == 0 {
		t.Skip("cases are rehearsed by `make cases`")
	}
	material := caseMaterial(t)
	out := filepath.Join(*caseFolder, digest(t, *caseBinary))
	var rows []*caseRow
	for i, a := range answersOf(t) {
		if *caseTurn >= 0 && i%10 != *caseTurn%10 || !strings.Contains(a.Case, *caseOnly) {
			continue
		}
		for n := range *caseTimes {
			for _, runtime := range runtimesOf(t, material, a) {
				rows = append(rows, &caseRow{answer: a, runtime: runtime, out: filepath.Join(out, runtime, fmt.Sprintf("%s-%d", strings.ReplaceAll(a.Case, "/", "."), n+1))})
			}
		}
	}
	var group errgroup.Group
	group.SetLimit(min(2, *parallel))
	var mu sync.Mutex
	for _, r := range rows {
		group.Go(func() error {
			err := r.rehearse(t.Context(), material)
			mu.Lock()
			defer mu.Unlock()
			fmt.Printf("%-34s %-8s %-12s %s\n", r.answer.Case, r.runtime, r.grade, r.why)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	count := map[string]int{}
	fmt.Printf("\n%-34s %-8s %-12s %s\n", "case", "runtime", "", "why")
	for _, r := range rows {
		if count[r.grade]++; r.grade != Right {
			fmt.Printf("%-34s %-8s %-12s %s\n", r.answer.Case, r.runtime, r.grade, r.why)
		}
	}
	fmt.Printf("%d rehearsed: %d right, %d cannot tell, %d wrong\n", len(rows), count[Right], count[CannotTell], count[Wrong])
	if count[Wrong] > 0 {
		t.Errorf("%d are wrong, want none", count[Wrong])
	}
	if most := 3 * *caseTimes; count[CannotTell] > most {
		t.Errorf("%d cannot be told, want at most %d", count[CannotTell], most)
	}
}

// caseMaterial copies the cases, and builds the programs of some of them there.
func caseMaterial(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("cases")); err != nil {
		t.Fatal(err)
	}
	build := func(in, what, program string) {
		t.Helper()
		command := exec.Command("go", "build", "-o", program, what)
		command.Dir, command.Env = in, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if said, err := command.CombinedOutput(); err != nil {
			t.Fatalf("build %s of the cases: %v\n%s", filepath.Base(program), err, said)
		}
	}
	build(filepath.Join(folder, "own"), ".", "verifier")
	build(".", "./testdata/pool", filepath.Join(folder, "new", "stock"))
	// That of the systems that are attached to.
	build(".", "../../scenarios/attached/testdata/database/shop", filepath.Join(folder, "shop", "shop-db"))
	return folder
}

// digest is a short name of a binary.
func digest(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("-binary: %v", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))[:12]
}

// runtimesOf are those that a case can be rehearsed in: commands of a team's own
// need this machine.
func runtimesOf(t *testing.T, material string, a Answer) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(material, filepath.FromSlash(a.Case)+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if *caseDocker && a.Verdict != Refused && !strings.Contains(string(text), "command:") {
		return []string{"process", "docker"}
	}
	return []string{"process"}
}

// caseRow is one rehearsal of a case.
type caseRow struct {
	answer       Answer
	runtime, out string
	grade, why   string
}

// rehearse rehearses a case, unless that was done before, and grades what was said.
func (r *caseRow) rehearse(ctx context.Context, material string) error {
	file := filepath.Join(material, filepath.FromSlash(r.answer.Case)+".yaml")
	ctx, cancel := context.WithTimeout(ctx, caseLimit)
	defer cancel()
	said, err := readingIn(r.out)
	if r.answer.Verdict == Refused {
		said, err = lintReading(ctx, file)
	} else if errors.Is(err, os.ErrNotExist) {
		said, err = r.run(ctx, file)
	}
	if err != nil {
		r.grade, r.why = Wrong, "it could not be rehearsed: "+err.Error()
		return nil
	}
	r.grade, r.why = r.answer.Grade(said)
	return nil
}

func (r *caseRow) run(ctx context.Context, file string) (Reading, error) {
	if err := os.RemoveAll(r.out); err != nil { // of a run that was broken off
		return Reading{}, err
	}
	if err := os.MkdirAll(filepath.Dir(r.out), 0o755); err != nil {
		return Reading{}, err
	}
	v, err := rehearsed(ctx, r.out, "--runtime", r.runtime, file)
	if err != nil {
		return Reading{}, err
	}
	return readingOf(v), nil
}

// rehearsed has the built binary rehearse a scenario into a folder, and is what it came to.
func rehearsed(ctx context.Context, out string, args ...string) (judge.Verdict, error) {
	run := exec.CommandContext(ctx, *caseBinary, append([]string{"run", "--ui", "plain", "--yes", "--out", out}, args...)...)
	run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(os.Interrupt) }, time.Minute
	said, err := run.CombinedOutput() // a verdict that is no pass is an exit code
	v, missing := verdictIn(out)
	if missing == nil {
		return v, nil
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return judge.Verdict{}, fmt.Errorf("%v: %s", err, lines[len(lines)-1])
}

// lintReading is whether lint refuses a scenario, or finds something.
func lintReading(ctx context.Context, file string) (Reading, error) {
	said, err := exec.CommandContext(ctx, *caseBinary, "lint", file).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && (exit.ExitCode() == 1 || exit.ExitCode() == 2) {
		return Reading{Verdict: Refused, Text: string(said)}, nil
	}
	if err != nil {
		return Reading{}, err
	}
	return Reading{Verdict: Pass, Text: string(said)}, nil
}

// verdictIn is what the run in a folder came to.
func verdictIn(folder string) (v judge.Verdict, err error) {
	text, err := os.ReadFile(filepath.Join(folder, "result.json"))
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", folder, err)
	}
	return v, nil
}

// readingIn is what the run in a folder said.
func readingIn(folder string) (Reading, error) {
	v, err := verdictIn(folder)
	if err != nil {
		return Reading{}, err
	}
	return readingOf(v), nil
}

// readingOf is what a verdict says.
func readingOf(v judge.Verdict) Reading {
	said := saidBy(v)
	parts := []string{v.Why}
	for _, f := range v.Findings {
		parts = append(parts, string(f.Cause), f.Message, f.Fix)
	}
	for _, rule := range v.Rules {
		if rule.Outcome != judge.Pass && rule.Outcome != judge.Skipped {
			parts = append(parts, rule.Detail)
		}
	}
	return Reading{Verdict: said.Verdict, Named: slices.Clone(said.Named), Text: strings.Join(parts, "\n")}
}
