package matrix

import (
	"context"
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
	"testing/synctest"
	"time"
)

var (
	issuersBound = flag.Duration("issuers", 0, "measure the issuers, and bound each wait by this; 0: do not")
	rehearse     = flag.String("rehearse", "", "the binary that rehearses them")
)

// issuersFolder has a folder for each issuer.
const issuersFolder = "../../scenarios/attached/issuers"

// TestIssuers writes the table of issuers anew; it is run by `make issuers` only. One
// that cannot be brought up keeps what the table had of it.
func TestIssuers(t *testing.T) {
	if *issuersBound == 0 {
		t.Skip("run `make issuers`")
	}
	m := &Matrix{Measured: time.Now().Format(time.DateOnly), Bound: issuersBound.Seconds()}
	rows := make([]Row, len(Issuers))
	var all sync.WaitGroup
	for n, issuer := range Issuers {
		rows[n] = Row{Name: issuer.Name, How: issuer.How}
		if *only != "" && *only != issuer.Name {
			continue
		}
		all.Go(func() {
			folder, err := filepath.Abs(filepath.Join(issuersFolder, issuer.Name))
			if err != nil {
				t.Error(err)
				return
			}
			// The scripts have this path, too: see lib.sh.
			system := System{Folder: folder, State: filepath.Join("/tmp/rehearse-attached", issuer.Name), Bound: *issuersBound}
			row, err := system.Measure(t.Context(), issuer)
			if err != nil {
				t.Errorf("%s: %v", issuer.Name, err)
				return
			}
			text, err := rehearsed(t.Context(), system)
			if err != nil {
				t.Errorf("%s: %v", issuer.Name, err)
			}
			row.Cells = append(row.Cells, Cell{Trial: "rehearsed", Ended: true, Text: text})
			rows[n] = row
			t.Logf("%s: measured", issuer.Name)
		})
	}
	all.Wait()
	m.Rows = rows
	if _, err := os.Stat(filepath.Join(issuersFolder, "issuers.json")); err == nil {
		m.Over(kept(t, issuersFolder, "issuers"))
	}
	keep(t, m, IssuerTable, issuersFolder, "issuers")
}

// rehearsed takes a system through its scenarios, and those of its variants (NAME-…), each
// with one that was brought up for it, and says what came of them; an error where that is
// not what they expect.
func rehearsed(ctx context.Context, s System) (string, error) {
	scenarios, err := filepath.Glob(s.Folder + "*/*.yaml")
	if err != nil {
		return "", err
	}
	var said []string
	var unexpected error
	for _, scenario := range scenarios {
		name, folder := strings.TrimSuffix(filepath.Base(scenario), ".yaml"), filepath.Dir(scenario)
		s := System{Folder: folder, State: filepath.Join(filepath.Dir(s.State), filepath.Base(folder)), Bound: s.Bound}
		out := s.State + "-" + name
		if err := os.RemoveAll(out); err != nil {
			return "", err
		}
		down, err := s.up(ctx)
		if err != nil {
			return "", err
		}
		command := exec.CommandContext(ctx, *rehearse, "test", "--yes", "--out", out, scenario)
		command.Env = append(os.Environ(), "SHOP="+s.State)
		if text, err := command.CombinedOutput(); err != nil {
			unexpected = fmt.Errorf("%s: %w: %s", filepath.Base(scenario), err, text)
		}
		text, err := verdict(out)
		if err != nil {
			unexpected = errors.Join(unexpected, err)
		}
		said = append(said, "["+name+"]("+filepath.Base(s.Folder)+"/"+name+".yaml): "+text)
		if err := down(); err != nil {
			return "", err
		}
	}
	return strings.Join(said, "<br>"), unexpected
}

// verdict is that of a run, in few words: the last, where it was rehearsed again.
func verdict(out string) (string, error) {
	var result struct {
		Verdict  string
		Findings []struct{ RuleID, Level, Consumer, Cause string }
	}
	results, err := filepath.Glob(filepath.Join(out, "*", "result.json"))
	if err != nil {
		return "", err
	}
	if len(results) == 0 {
		return "", fmt.Errorf("read what came of it: there is nothing in %s", out)
	}
	data, err := os.ReadFile(slices.MaxFunc(results, func(a, b string) int { return len(a) - len(b) })) // NAME-again, where it is there
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return "", err
	}
	said := []string{"**" + result.Verdict + "**"}
	for _, f := range result.Findings {
		if f.Level != "error" {
			continue
		}
		what := f.RuleID
		if f.Consumer != "" {
			what += " at " + f.Consumer
		}
		if f.Cause != "" {
			what += " (" + f.Cause + ")"
		}
		if !slices.Contains(said, what) {
			said = append(said, what)
		}
	}
	return strings.Join(said, ", "), nil
}

// TestStale holds what a page is told of a patient verifier against what issuers say.
func TestStale(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lead   time.Duration
		header string
		want   string
	}{
		{"no lead", 0, "no-store", "15m"},
		{"a lead that is long enough", time.Hour, "none", "0"},
		{"a lead that is not", 5 * time.Minute, "none", "10m"},
		{"a max-age that is longer than its own time", 0, "public, max-age=3600", "1h, which it takes from the max-age"},
		{"a max-age that is shorter", 0, "max-age=60", "15m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := stale(tt.lead, tt.header); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWatch looks at issuers whose order of publishing and signing is known.
func TestWatch(t *testing.T) {
	const from = 2 * time.Second
	for _, tt := range []struct {
		name            string
		publishes, sign time.Duration // from when k2 is in the set, and from when it signs
		want            string
	}{
		{"published since before", 0, from, "yes: since the rotation before"},
		{"published first", from, from + 3*time.Second, "3s"},
		{"both at once", from, from, "no: both at once"},
		{"signs first", from + 5*time.Second, from, "no: it signs 5s before it is published"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				says := []string{"no-store", "max-age=100", "max-age=20"}
				w := NewWatch(func(context.Context) (published, error) {
					says = append(says[1:], says[0])
					if time.Since(began) < tt.publishes {
						return published{[]string{"k1"}, says[0]}, nil
					}
					return published{[]string{"k1", "k2"}, says[0]}, nil
				}, func(context.Context) (string, error) {
					if time.Since(began) < tt.sign {
						return "k1", nil
					}
					return "k2", nil
				})
				if err := w.until(t.Context(), time.Minute, func() bool { return w.signs == "k2" && w.inSet("k2") }); err != nil {
					t.Fatal(err)
				}
				if got := w.lead("lead").text(60); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if got := w.cacheControl(); got != "no-store … max-age=100, another at each answer" {
					t.Errorf("got %q of what the set came with", got)
				}
				if err := w.until(t.Context(), time.Minute, func() bool { return w.inSet("k3") }); !errors.Is(err, errBound) {
					t.Errorf("got %v for a key that never comes, want that it was not within the time", err)
				}
			})
		})
	}
}
