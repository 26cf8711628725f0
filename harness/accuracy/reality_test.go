package accuracy

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// Flags of `make reality`: nothing is rehearsed unless it is asked for.
var (
	realitySeeds = flag.Int("reality", 0, "how many built-in scenarios of each family to simulate and rehearse, each with a seed of its own")
	realityOnly  = flag.String("reality-of", "", "of scenarios whose name has this `text` alone")
)

// figure is what a simulation and a real rehearsal of the same scenario both tell: a time
// in the wall time of a run, or in words where it is none.
type figure struct {
	What            string
	Simulated, Real string
	// Off is by how much a time differs; Wrong says that it is too much.
	Off   time.Duration
	Wrong bool
}

// tolerance is by how much a time may differ that a run came to: 5 % of it or a second,
// whichever is more. Processes start, poll and log when they can.
func tolerance(d time.Duration) time.Duration { return max(time.Second, d/20) }

// compare is what two runs came to, side by side.
func compare(simulated, real judge.Verdict) (all []figure) {
	words := func(what, s, r string) { all = append(all, figure{What: what, Simulated: s, Real: r, Wrong: s != r}) }
	times := func(what string, s, r time.Duration) {
		off := (s - r).Abs()
		all = append(all, figure{
			What: what, Simulated: s.Round(10 * time.Millisecond).String(), Real: r.Round(10 * time.Millisecond).String(),
			Off: off, Wrong: off > tolerance(r),
		})
	}
	words("verdict", string(simulated.Verdict), string(real.Verdict))
	alike := alikeIn(simulated)
	words("named", alike.text(saidBy(simulated).Named), alike.text(saidBy(real).Named))
	for _, s := range simulated.Validators {
		if alike[s.Name] {
			continue
		}
		i := slices.IndexFunc(real.Validators, func(r judge.ValidatorReport) bool { return r.Name == s.Name })
		if i < 0 {
			words(s.Name, "reported", "not reported")
			continue
		}
		for _, side := range []struct {
			what    string
			s, r    int64
			is, not string
		}{
			{s.Name + " learned after", s.LearnedAfterMS, real.Validators[i].LearnedAfterMS, "learned", "never learned"},
			{s.Name + " forgot after", s.ForgotAfterMS, real.Validators[i].ForgotAfterMS, "forgot", "never forgot"},
		} {
			if side.s < 0 || side.r < 0 {
				told := map[bool]string{true: side.not, false: side.is}
				words(side.what, told[side.s < 0], told[side.r < 0])
				continue
			}
			times(side.what, time.Duration(side.s)*time.Millisecond, time.Duration(side.r)*time.Millisecond)
		}
	}
	s, r := alike.refusals(simulated), alike.refusals(real)
	for _, pair := range slices.Sorted(maps.Keys(merged(s, r))) {
		if s[pair].parties == 0 || r[pair].parties == 0 {
			told := map[bool]string{true: "never refused", false: "refused"}
			words(pair, told[s[pair].parties == 0], told[r[pair].parties == 0])
			continue
		}
		times(pair+" first refused", s[pair].first, r[pair].first)
		if s[pair].parties > 1 || r[pair].parties > 1 { // whose turn is the last is chance
			words(pair+" parties", strconv.Itoa(s[pair].parties), strconv.Itoa(r[pair].parties))
			continue
		}
		times(pair+" last refused", s[pair].last, r[pair].last)
	}
	return all
}

// alikes are validators that differ by a number alone, as search-1 and search-2 do: which
// of them is first, where they compete, is chance, and only all of them are compared.
type alikes map[string]bool

var numbered = regexp.MustCompile(`-[0-9]+$`)

func alikeIn(v judge.Verdict) alikes {
	count := map[string]int{}
	for _, one := range v.Validators {
		count[numbered.ReplaceAllString(one.Name, "")]++
	}
	found := alikes{}
	for _, one := range v.Validators {
		found[one.Name] = count[numbered.ReplaceAllString(one.Name, "")] > 1
	}
	return found
}

// of is a party's name, without its number where it is one of several alike.
func (a alikes) of(name string) string {
	if a[name] {
		return numbered.ReplaceAllString(name, "-N")
	}
	return name
}

func (a alikes) text(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, a.of(name))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// refusal is when a presenter was refused by a validator, since the emitters were told to
// switch; of several alike by the first, and until the last of them.
type refusal struct {
	first, last time.Duration
	parties     int
}

// refusals are those of a run that fail it, by presenter, validator and credential.
func (a alikes) refusals(v judge.Verdict) map[string]refusal {
	var emit int64
	for _, p := range v.Phases {
		if p.Name == history.Emit {
			emit = p.StartMS
		}
	}
	found := map[string]refusal{}
	for _, f := range v.Findings {
		if f.RuleID != "auth-failures-flat" || f.Level != judge.Error || f.Presenter == "" {
			continue
		}
		presenter := f.Presenter
		if a[f.Validator] {
			presenter = numbered.ReplaceAllString(presenter, "-N")
		}
		name := presenter + " → " + a.of(f.Validator) + " with " + f.Credential
		one := refusal{time.Duration(f.FirstMS-emit) * time.Millisecond, time.Duration(f.LastMS-emit) * time.Millisecond, 1}
		if before, is := found[name]; is {
			one = refusal{min(one.first, before.first), max(one.last, before.last), before.parties + 1}
		}
		found[name] = one
	}
	return found
}

func merged[T any](a, b map[string]T) map[string]T {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// TestCompare wants what two runs have in common to be found so, and a time, a verdict
// or a culprit that differs to be found wrong.
func TestCompare(t *testing.T) {
	run := func(change func(*judge.Verdict)) judge.Verdict {
		v := judge.Verdict{
			Verdict:    judge.Fail,
			Phases:     []judge.PhaseSpan{{Name: history.Emit, StartMS: 10_000}},
			Validators: []judge.ValidatorReport{{Name: "search", LearnedAfterMS: 40_000, ForgotAfterMS: -1}},
			Findings: []judge.Finding{{
				RuleID: "auth-failures-flat", Level: judge.Error, Presenter: "app", Validator: "search", Consumer: "search", Credential: "k2",
				FirstMS: 11_000, LastMS: 15_000,
			}},
		}
		if change != nil {
			change(&v)
		}
		return v
	}
	wrong := func(other judge.Verdict) (names []string) {
		for _, f := range compare(run(nil), other) {
			if f.Wrong {
				names = append(names, f.What)
			}
		}
		return names
	}
	for want, change := range map[string]func(*judge.Verdict){
		"":                                   nil,
		"verdict":                            func(v *judge.Verdict) { v.Verdict = judge.Inconclusive },
		"named":                              func(v *judge.Verdict) { v.Findings[0].Consumer = "auth" },
		"search learned after":               func(v *judge.Verdict) { v.Validators[0].LearnedAfterMS = 42_200 },
		"search forgot after":                func(v *judge.Verdict) { v.Validators[0].ForgotAfterMS = 1 },
		"app → search with k2 first refused": func(v *judge.Verdict) { v.Findings[0].FirstMS = 12_001 },
		"app → search with k2 last refused":  func(v *judge.Verdict) { v.Findings[0].LastMS = 13_000 },
		"app → search with k2, named":        func(v *judge.Verdict) { v.Findings = nil },
	} {
		got := wrong(run(change))
		slices.Sort(got)
		wanted := strings.FieldsFunc(want, func(r rune) bool { return r == ',' })
		for i := range wanted {
			wanted[i] = strings.TrimSpace(wanted[i])
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("want wrong %q, got %q", wanted, got)
		}
	}
	others := func(first, second string) judge.Verdict { // who of two alike is refused is chance
		return run(func(v *judge.Verdict) {
			v.Validators = []judge.ValidatorReport{{Name: "search-1"}, {Name: "search-2"}}
			v.Findings[0].Validator, v.Findings[0].Consumer, v.Findings[0].Presenter = first, first, "web-"+first[len(first)-1:]
			if second != "" {
				v.Findings = append(v.Findings, v.Findings[0])
				v.Findings[1].Validator, v.Findings[1].Consumer = second, second
			}
		})
	}
	for _, c := range []struct {
		a, b  judge.Verdict
		wrong int
	}{{others("search-1", ""), others("search-2", ""), 0}, {others("search-1", ""), others("search-1", "search-2"), 1}} {
		if got := len(slices.DeleteFunc(compare(c.a, c.b), func(f figure) bool { return !f.Wrong })); got != c.wrong {
			t.Errorf("alike: got %d wrong, want %d: %+v", got, c.wrong, compare(c.a, c.b))
		}
	}
	within := run(func(v *judge.Verdict) {
		v.Validators[0].LearnedAfterMS, v.Findings[0].FirstMS, v.Findings[0].LastMS = 41_900, 11_900, 15_900
		v.Phases[0].StartMS += 100
	})
	if got := wrong(within); got != nil {
		t.Errorf("within 5 %% or a second: got wrong %q, want none", got)
	}
}

// realityLimit bounds one rehearsal.
const realityLimit = 5 * time.Minute

// compared is a scenario that was simulated and rehearsed with one seed.
type compared struct {
	name      string
	seed      int64
	folder    string
	simulated judge.Verdict
	figures   []figure
	err       error // it could not be rehearsed
}

// TestReality simulates scenarios and rehearses them for real, with the built binary, and
// accepts no figure of a simulation that is further from that of the real one than tolerance.
func TestReality(t *testing.T) {
	if *realitySeeds == 0 {
		t.Skip("simulations are held against real rehearsals by `make reality`")
	}
	if *caseBinary == "" {
		t.Fatal("-binary: want the rehearse file that rehearses")
	}
	rows := realityOf(t, *realitySeeds, int(*firstSeed))
	if len(rows) == 0 {
		t.Fatal("none can be simulated")
	}
	var group errgroup.Group
	group.SetLimit(*parallel)
	for _, row := range rows {
		group.Go(func() error {
			var real judge.Verdict
			if real, row.err = row.rehearse(t.Context(), "process"); row.err == nil {
				row.figures = compare(row.simulated, real)
			}
			return nil
		})
	}
	_ = group.Wait() // each has its error in its row
	if err := writeReality(os.Stdout, rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.err != nil {
			t.Errorf("%s, seed %d: %v", row.name, row.seed, row.err)
		}
		for _, f := range row.figures {
			if f.Wrong {
				t.Errorf("%s, seed %d: %s: simulated %s, really %s", row.name, row.seed, f.What, f.Simulated, f.Real)
			}
		}
	}
}

// realityOf are the built-in scenarios whose turn it is, simulated: so many of each family,
// of those that can be.
func realityOf(t *testing.T, each, turn int) (chosen []*compared) {
	t.Helper()
	names, err := scenarios.List()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, name := range names {
		if family, _, _ := strings.Cut(name, "/"); slices.Contains(runbook.FamilyNames(), family) && strings.Contains(name, *realityOnly) {
			of[family] = append(of[family], name)
		}
	}
	for _, family := range slices.Sorted(maps.Keys(of)) {
		all, wanted := of[family], each
		for i := range all {
			if wanted == 0 {
				break
			}
			c := &compared{name: all[(turn*each+i)%len(all)], seed: int64(turn + i), folder: t.TempDir()}
			// What cannot be simulated says so with exit code 2, and leaves no result.
			if c.simulated, err = c.rehearse(t.Context(), "simulated"); err == nil {
				chosen = append(chosen, c)
				wanted--
			}
		}
	}
	return chosen
}

// rehearse is what the scenario comes to in a runtime.
func (c *compared) rehearse(ctx context.Context, runtime string) (v judge.Verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, realityLimit)
	defer cancel()
	out := filepath.Join(c.folder, runtime)
	run := exec.CommandContext(ctx, *caseBinary, "run", "--runtime", runtime, "--seed", strconv.FormatInt(c.seed, 10), "--ui", "plain", "--yes", "--out", out, c.name)
	run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(os.Interrupt) }, time.Minute
	said, failed := run.CombinedOutput() // a verdict that is no pass is an exit code
	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return v, fmt.Errorf("%s: %w: %s", runtime, cmp.Or(failed, err), lines[len(lines)-1])
	}
	return v, json.Unmarshal(text, &v)
}

// writeReality writes the figures as a table, and how far they are apart.
func writeReality(w io.Writer, rows []*compared) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "scenario\tseed\tfigure\tsimulated\treal\toff\t")
	figures, wrong := 0, 0
	var off []time.Duration
	for _, row := range rows {
		for _, f := range row.figures {
			mark := ""
			if figures++; f.Wrong {
				wrong++
				mark = "too much"
			}
			apart := ""
			if f.Off > 0 {
				off = append(off, f.Off)
				apart = f.Off.Round(10 * time.Millisecond).String()
			}
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", row.name, row.seed, f.What, f.Simulated, f.Real, apart, mark)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	slices.Sort(off)
	median := time.Duration(0)
	if len(off) > 0 {
		median = off[len(off)/2]
	}
	_, err := fmt.Fprintf(w, "%d rehearsed twice, %d figures, %d too far apart; times differ by %s (median)\n", len(rows), figures, wrong, median.Round(time.Millisecond))
	return err
}
