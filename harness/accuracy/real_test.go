package accuracy

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/fakes"
	"github.com/rehearse-dev/rehearse/fakes/standin"
	fakestore "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Flags of `make accuracy-real`. Real rehearsals take their time: none is made
// unless it is asked for.
var (
	realCases = flag.Int("real", 0, "how many real rehearsals to make, in processes")
	parallel  = flag.Int("at-a-time", 3, "how many real rehearsals at a time")
	results   = flag.String("results", "", "`file` of the outcomes by seed: what is there is not rehearsed again")
)

// TestMain lets the test's own binary be every stand-in, as rehearse itself is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		if err := serve(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve(name string) error {
	services := maps.Clone(fakes.Services)
	services["load"], services["store"] = load.Serve, fakestore.Serve
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	process := standin.Process{Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout}
	return process.Run(ctx, services[name])
}

// TestReal makes the drawn rehearsals with real services, and accepts no wrong row.
func TestReal(t *testing.T) {
	if *realCases == 0 {
		t.Skip("real rehearsals are made by `make accuracy-real`")
	}
	saved := openResults(t, *results)
	var group errgroup.Group
	group.SetLimit(*parallel)
	cases := make([]Case, *realCases)
	for i := range cases {
		cases[i] = Real(*firstSeed + int64(i))
		if _, ok := saved.of(cases[i]); ok {
			continue
		}
		p := planOf(t, cases[i]) // here, where a test may fail
		group.Go(func() error {
			folder := filepath.Join(t.TempDir(), strconv.FormatInt(cases[i].Seed, 10))
			outcome, err := harness.Run(t.Context(), p, harness.Options{
				Folder: folder, Runs: filepath.Join(folder, "runs"), Runtime: harness.Process,
			})
			if err != nil {
				return fmt.Errorf("seed %d: %w", cases[i].Seed, err)
			}
			said := saidBy(outcome.Verdict)
			if !cases[i].Truth.Score(said).Right() {
				t.Logf("seed %d, %s:\n%s%s", cases[i].Seed, cases[i].Situation, cases[i].Page, cases[i].Scenario)
				for _, f := range outcome.Verdict.Findings {
					t.Logf("seed %d: %s %s: %s", cases[i].Seed, f.Level, f.RuleID, f.Message)
				}
			}
			return saved.add(cases[i], said)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var table Table
	for _, c := range cases {
		said, ok := saved.of(c)
		if !ok {
			t.Fatalf("seed %d has no outcome", c.Seed)
		}
		table.Add(c, said)
	}
	if err := table.Write(os.Stdout); err != nil {
		t.Fatalf("write the table: %v", err)
	}
	if len(table.Wrong) > 0 {
		t.Errorf("%d wrong rows, want none; replay one with -args -real 1 -first-seed SEED", len(table.Wrong))
	}
}

// saving are outcomes by seed, also in a file, one JSON object a line: a row of
// rehearsals that is broken off goes on where it was.
type saving struct {
	mu   sync.Mutex
	file *os.File // nil: memory only
	rows map[int64]result
}

// result is the outcome of one case; the page and the scenario tell whether a
// seed still means the same.
type result struct {
	Seed int64  `json:"seed"`
	Of   string `json:"of"`
	Said Said   `json:"said"`
}

func openResults(t *testing.T, path string) *saving {
	t.Helper()
	s := &saving{rows: map[int64]result{}}
	if path == "" {
		return s
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	})
	s.file = file
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		s.rows[r.Seed] = r
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return s
}

func (s *saving) of(c Case) (Said, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rows[c.Seed]
	return r.Said, ok && r.Of == c.Page+c.Scenario
}

func (s *saving) add(c Case, said Said) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := result{Seed: c.Seed, Of: c.Page + c.Scenario, Said: said}
	s.rows[c.Seed] = r
	if s.file == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("save the outcome of seed %d: %w", c.Seed, err)
	}
	if _, err := s.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("save the outcome of seed %d: %w", c.Seed, err)
	}
	return nil
}

// TestResultsAreTakenUpAgain checks that a saved outcome is found by its case,
// and not by a seed that means another one by now.
func TestResultsAreTakenUpAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "results.jsonl")
	c := Real(3)
	if err := openResults(t, path).add(c, Said{Verdict: Fail, Named: []string{"slow"}}); err != nil {
		t.Fatal(err)
	}
	again := openResults(t, path)
	if said, ok := again.of(c); !ok || said.Verdict != Fail {
		t.Errorf("saved outcome: got %+v, %t, want the one that was saved", said, ok)
	}
	other := c
	other.Scenario += "# changed\n"
	if _, ok := again.of(other); ok {
		t.Error("outcome of a seed that means another case: got one, want none")
	}
}

// TestRealCasesCanBePlanned checks that what is drawn for real services is legal.
func TestRealCasesCanBePlanned(t *testing.T) {
	for seed := range int64(20 * len(realSituations())) {
		p := planOf(t, Real(seed))
		if rate := totalRate(p.Limits.Clients); rate > 100 {
			t.Errorf("seed %d: %v requests a second in all, want at most 100", seed, rate)
		}
	}
}

func totalRate(clients []plan.Client) (rate float64) {
	for _, c := range clients {
		rate += c.Rate
	}
	return rate
}
