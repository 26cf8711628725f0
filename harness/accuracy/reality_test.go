package accuracy

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
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

// drawnSeeds is how many seeds a scenario is simulated with: caches, polls and sessions have
// other ages with each, as they have in every real rehearsal.
const drawnSeeds = 20

// figure is what simulations and a real rehearsal of the same scenario tell: in the wall time
// of a run, or in words.
type figure struct {
	What            string
	Simulated, Real string
	// Off is by how much a real time lies outside of those that were simulated; Wrong says
	// that it is too much, or that the real words were never simulated.
	Off   time.Duration
	Wrong bool
}

// tolerance is by how much a time may lie outside: 5 % of it or a second, whichever is
// more. Processes start, poll and log when they can.
func tolerance(d time.Duration) time.Duration { return max(time.Second, d/20) }

// told is one figure of one run: a time, or words.
type told struct {
	at    time.Duration
	words string
	// most is the longest that the bounds allow, of a time that comes again with each
	// read: who read just before a step, and not just after it, reads a whole period later.
	most time.Duration
}

// compare holds what a real rehearsal told against what simulations of it did.
func compare(simulated []judge.Verdict, real judge.Verdict) (all []figure) {
	alike := alikeIn(real)
	drawn := map[string][]told{}
	for _, v := range simulated {
		for what, one := range toldBy(v, alike) {
			drawn[what] = append(drawn[what], one)
		}
	}
	really := toldBy(real, alike)
	names := slices.Concat(slices.Collect(maps.Keys(drawn)), slices.Collect(maps.Keys(really)))
	slices.Sort(names)
	for _, what := range slices.Compact(names) {
		f := figure{What: what}
		var words []string
		low, high := time.Duration(math.MaxInt64), time.Duration(-1)
		for _, one := range drawn[what] {
			if one.words != "" {
				words = append(words, one.words)
				continue
			}
			low, high = min(low, one.at), max(high, one.at)
		}
		if missing := len(simulated) - len(drawn[what]); missing > 0 {
			words = append(words, neverTold)
		}
		slices.Sort(words)
		words = slices.Compact(words)
		one, ok := really[what]
		if !ok {
			one.words = neverTold
		}
		if high >= 0 {
			f.Simulated = short(low) + " to " + short(high)
		}
		f.Simulated = strings.Join(append(slices.DeleteFunc([]string{f.Simulated}, func(s string) bool { return s == "" }), words...), ", or ")
		if one.words != "" {
			f.Real, f.Wrong = one.words, !slices.Contains(words, one.words)
		} else {
			f.Real = short(one.at)
			f.Off = max(0, low-one.at, one.at-high)
			missed := low <= tolerance(0) && one.at <= one.most+tolerance(one.most)
			f.Wrong = high < 0 || f.Off > tolerance(one.at) && !missed
		}
		all = append(all, f)
	}
	return all
}

// neverTold is what a run tells of a figure that it does not have.
const neverTold = "never"

func short(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }

// toldBy are the figures of a run by what they are of.
func toldBy(v judge.Verdict, alike alikes) map[string]told {
	all := map[string]told{
		"verdict": {words: string(v.Verdict)},
		"named":   {words: cmp.Or(alike.text(saidBy(v).Named), "nobody")},
	}
	for _, one := range v.Validators {
		if alike[one.Name] {
			continue
		}
		if one.LearnedAfterMS >= 0 {
			all[one.Name+" learned after"] = told{at: time.Duration(one.LearnedAfterMS) * time.Millisecond, most: time.Duration(one.BoundMS) * time.Millisecond}
		}
		if one.ForgotAfterMS >= 0 {
			all[one.Name+" forgot after"] = told{at: time.Duration(one.ForgotAfterMS) * time.Millisecond, most: time.Duration(one.ForgetBoundMS) * time.Millisecond}
		}
	}
	for pair, one := range alike.refusals(v) {
		all[pair+" first refused"] = told{at: one.first}
		if one.parties > 1 { // whose turn is the last is chance
			all[pair+" parties"] = told{words: strconv.Itoa(one.parties)}
			continue
		}
		all[pair+" last refused"] = told{at: one.last}
		if one.toTheEnd { // which comes when all faults are seen to be undone, and that is no part of the rotation
			all[pair+" last refused"] = told{words: "at the end"}
		}
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
	toTheEnd    bool // of the run
}

// nearlyTheEnd is within how many milliseconds of the end a last refusal lasted until then.
const nearlyTheEnd = 1000

// refusals are those of a run that fail it, by presenter, validator and credential.
func (a alikes) refusals(v judge.Verdict) map[string]refusal {
	var emit, end int64
	for _, p := range v.Phases {
		end = max(end, p.EndMS)
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
		one := refusal{time.Duration(f.FirstMS-emit) * time.Millisecond, time.Duration(f.LastMS-emit) * time.Millisecond, 1, end > 0 && f.LastMS >= end-nearlyTheEnd}
		if before, ok := found[name]; ok {
			one = refusal{min(one.first, before.first), max(one.last, before.last), before.parties + 1, one.toTheEnd || before.toTheEnd}
		}
		found[name] = one
	}
	return found
}

// TestCompare wants a real run that is like one of the simulated ones to be found so, and a
// time, a verdict or a culprit that none of them has to be found wrong.
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
	drawn := []judge.Verdict{run(nil), run(func(v *judge.Verdict) { v.Validators[0].LearnedAfterMS = 30_000 })}
	wrong := func(real judge.Verdict) string {
		var names []string
		for _, f := range compare(drawn, real) {
			if f.Wrong {
				names = append(names, f.What)
			}
		}
		return strings.Join(names, ", ")
	}
	for want, change := range map[string]func(*judge.Verdict){
		"":                                   func(v *judge.Verdict) { v.Validators[0].LearnedAfterMS = 35_000 },
		"verdict":                            func(v *judge.Verdict) { v.Verdict = judge.Inconclusive },
		"named":                              func(v *judge.Verdict) { v.Findings[0].Consumer = "auth" },
		"search learned after":               func(v *judge.Verdict) { v.Validators[0].LearnedAfterMS = 42_200 },
		"search forgot after":                func(v *judge.Verdict) { v.Validators[0].ForgotAfterMS = 1 },
		"app → search with k2 first refused": func(v *judge.Verdict) { v.Findings[0].FirstMS = 12_001 },
		"app → search with k2 last refused":  func(v *judge.Verdict) { v.Findings[0].LastMS = 13_000 },
		"app → search with k2 first refused, app → search with k2 last refused, named": func(v *judge.Verdict) { v.Findings = nil },
	} {
		if got := wrong(run(change)); got != want {
			t.Errorf("want wrong %q, got %q", want, got)
		}
	}
	// A read that falls just before the revoke in one run, and just after it in another.
	drawn = []judge.Verdict{run(func(v *judge.Verdict) { v.Validators[0].ForgotAfterMS = 200 })}
	for forgot, want := range map[int64]string{12_000: "", 14_000: "search forgot after"} {
		if got := wrong(run(func(v *judge.Verdict) { v.Validators[0].ForgotAfterMS, v.Validators[0].ForgetBoundMS = forgot, 12_500 })); got != want {
			t.Errorf("a read just missed, %d ms: want wrong %q, got %q", forgot, want, got)
		}
	}
	drawn = []judge.Verdict{run(nil)}
	within := run(func(v *judge.Verdict) {
		v.Validators[0].LearnedAfterMS, v.Findings[0].FirstMS, v.Findings[0].LastMS = 41_900, 11_900, 15_900
		v.Phases[0].StartMS += 100
	})
	if got := wrong(within); got != "" {
		t.Errorf("within 5 %% or a second: got wrong %q, want none", got)
	}
}

// TestCompareAlike wants who of several alike is refused to be chance, and how many are to
// be told.
func TestCompareAlike(t *testing.T) {
	refused := func(validators ...string) judge.Verdict {
		v := judge.Verdict{Verdict: judge.Fail, Validators: []judge.ValidatorReport{{Name: "search-1"}, {Name: "search-2"}}}
		for _, name := range validators {
			v.Findings = append(v.Findings, judge.Finding{
				RuleID: "auth-failures-flat", Level: judge.Error, Presenter: "web-" + name[len(name)-1:], Validator: name, Consumer: name, Credential: "k2",
			})
		}
		return v
	}
	for want, real := range map[int]judge.Verdict{0: refused("search-2"), 2: refused("search-1", "search-2")} {
		got := compare([]judge.Verdict{refused("search-1")}, real)
		if n := len(slices.DeleteFunc(got, func(f figure) bool { return !f.Wrong })); n != want {
			t.Errorf("got %d wrong, want %d: %+v", n, want, got)
		}
	}
}

// realityLimit bounds one rehearsal.
const realityLimit = 5 * time.Minute

// compared is a scenario that was simulated, and rehearsed with one seed.
type compared struct {
	name      string
	seed      int64
	folder    string
	simulated []judge.Verdict // with drawnSeeds seeds
	figures   []figure
	err       error // it could not be rehearsed
}

// TestReality simulates scenarios and rehearses them for real, with the built binary, and
// accepts no figure of the real one that lies further outside of the simulated ones than tolerance.
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
			if real, row.err = row.rehearse(t.Context(), "process", row.seed); row.err == nil {
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
			for seed := range int64(drawnSeeds) {
				// What cannot be simulated says so with exit code 2, and leaves no result.
				v, err := c.rehearse(t.Context(), "simulated", seed+1)
				if err != nil {
					break
				}
				c.simulated = append(c.simulated, v)
			}
			if len(c.simulated) == drawnSeeds {
				chosen = append(chosen, c)
				wanted--
			}
		}
	}
	return chosen
}

// rehearse is what the scenario comes to in a runtime.
func (c *compared) rehearse(ctx context.Context, runtime string, seed int64) (judge.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, realityLimit)
	defer cancel()
	return rehearsed(ctx, filepath.Join(c.folder, runtime+strconv.FormatInt(seed, 10)), "--runtime", runtime, "--seed", strconv.FormatInt(seed, 10), c.name)
}

// writeReality writes the figures as a table, and how far they are apart.
func writeReality(w io.Writer, rows []*compared) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "scenario\tseed\tfigure\tsimulated\treal\toutside\t")
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
	_, err := fmt.Fprintf(w, "%d scenarios, %d figures, %d too far outside of what was simulated; of those outside the median is %s\n", len(rows), figures, wrong, median.Round(time.Millisecond))
	return err
}
