package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/simulation"
)

// manyFlags are those of `rehearse simulate --runs`.
type manyFlags struct{ runs int }

// distribution sums up many simulated rehearsals.
type distribution struct {
	Schema    string                `json:"schema"`
	Scenario  string                `json:"scenario"`
	Runtime   string                `json:"runtime"` // simulated
	Speed     float64               `json:"speed"`
	Asked     int                   `json:"runs_asked"`
	Runs      int                   `json:"runs"` // that were done
	FirstSeed int64                 `json:"first_seed"`
	Verdicts  map[judge.Outcome]int `json:"verdicts"`
	Fails     simulation.Interval   `json:"chance_of_fail"`
	Any       simulation.Interval   `json:"chance_of_any_refusal"`
	Refused   simulation.Interval   `json:"share_refused"`
	Quantiles map[string]float64    `json:"share_refused_quantiles"`
	Parties   []partyDistribution   `json:"parties"`
	Named     map[string]int        `json:"named_by_errors"` // in how many
	Varied    []simulation.Varied   `json:"varied,omitempty"`
	Samples   []simulation.Sample   `json:"samples"`
}

// partyDistribution is the distribution for one presenter at one validator.
type partyDistribution struct {
	Presenter string `json:"presenter"`
	Validator string `json:"validator"`
	In        int    `json:"refused_in_runs"`
	// Chance is the chance of any refusal.
	Chance simulation.Interval `json:"chance_of_any_refusal"`
	Share  float64             `json:"share_refused"` // of all its attempts
	Most   float64             `json:"share_refused_most"`
}

// distributionSchema names the shape of the figures as JSON.
const distributionSchema = "rehearse/distribution/v1"

// simulate rehearses a scenario many times and prints the distribution.
func (m *manyFlags) simulate(command *cobra.Command, f *runFlags, name string) error {
	switch {
	case m.runs < 1:
		return usage(fmt.Errorf("--runs: %d is less than 1", m.runs))
	case f.out != "":
		return usage(errors.New("--out is the folder of one run: leave it or --runs out"))
	}
	_, o, err := f.options(command)
	if err != nil {
		return err
	}
	p, err := planOf(name, o)
	if err != nil {
		return err
	}
	if err := harness.Simulatable(p); err != nil {
		return err
	}
	bar := newProgress(command.ErrOrStderr(), "rehearsals simulated")
	samples, err := simulation.Draw(command.Context(), p, m.runs, func() { bar.step(m.runs) })
	bar.end()
	if err != nil {
		return err
	}
	d := distributionOf(samples)
	d.Scenario, d.Speed, d.Asked, d.FirstSeed = p.Name, p.Speed, m.runs, p.Seed
	out := command.OutOrStdout()
	if f.ui == uiJSON {
		err = json.NewEncoder(out).Encode(d)
	} else {
		err = d.print(out)
	}
	switch {
	case err != nil:
		return fmt.Errorf("print the distribution: %w", err)
	case command.Context().Err() != nil:
		return interrupted()
	case d.Verdicts[judge.Fail] > 0:
		return verdictExit(judge.Fail)
	case d.Verdicts[judge.Inconclusive] > 0:
		return verdictExit(judge.Inconclusive)
	}
	return nil
}

// distributionOf adds up samples.
func distributionOf(samples []simulation.Sample) distribution {
	d := distribution{
		Schema: distributionSchema, Runtime: harness.Simulated, Runs: len(samples), Verdicts: map[judge.Outcome]int{},
		Quantiles: map[string]float64{}, Named: map[string]int{}, Samples: samples, Parties: []partyDistribution{},
	}
	refused, shares := 0, make([]float64, 0, len(samples))
	attempts, failures := map[[2]string]int64{}, map[[2]string]int64{}
	parties := map[[2]string]*partyDistribution{}
	for _, s := range samples {
		d.Verdicts[s.Verdict]++
		shares = append(shares, s.Share())
		if s.Refused > 0 {
			refused++
		}
		for _, name := range s.Named {
			d.Named[name]++
		}
		for _, b := range s.By {
			pair := [2]string{b.Presenter, b.Validator}
			if parties[pair] == nil {
				parties[pair] = &partyDistribution{Presenter: b.Presenter, Validator: b.Validator}
			}
			attempts[pair] += b.Attempts
			failures[pair] += b.Refused
			if b.Refused > 0 {
				parties[pair].In++
				parties[pair].Most = max(parties[pair].Most, float64(b.Refused)/float64(b.Attempts))
			}
		}
	}
	for _, pair := range slices.SortedFunc(maps.Keys(parties), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		parties[pair].Chance = simulation.Chance(parties[pair].In, len(samples))
		parties[pair].Share = float64(failures[pair]) / float64(max(1, attempts[pair]))
		d.Parties = append(d.Parties, *parties[pair])
	}
	d.Fails, d.Any = simulation.Chance(d.Verdicts[judge.Fail], len(samples)), simulation.Chance(refused, len(samples))
	d.Refused, d.Varied = simulation.Mean(shares), simulation.VariedOf(samples)
	if slices.Sort(shares); len(shares) > 0 {
		for name, q := range map[string]float64{"min": 0, "p5": 0.05, "p50": 0.5, "p95": 0.95, "max": 1} {
			d.Quantiles[name] = shares[int(q*float64(len(shares)-1)+0.5)]
		}
	}
	return d
}

// percent is a share as a person reads it.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// within is an estimate with its limits.
func within(i simulation.Interval) string {
	return fmt.Sprintf("%s (95 %%: %s to %s)", percent(i.Estimate), percent(i.Low), percent(i.High))
}

// print tells it in lines.
func (d distribution) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) // it keeps the first error, which Flush returns
	say := func(format string, args ...any) { fmt.Fprintln(t, plaintext.Line(fmt.Sprintf(format, args...))) }
	say("simulated, not run: %s, %d times at speed %v, seeds %d to %d", d.Scenario, d.Runs, d.Speed, d.FirstSeed, d.FirstSeed+int64(d.Runs)-1)
	if d.Runs < d.Asked {
		say("interrupted after %d of %d: what was done until then", d.Runs, d.Asked)
	}
	if d.Runs == 0 {
		return t.Flush()
	}
	fmt.Fprintln(t)
	for _, v := range []judge.Outcome{judge.Pass, judge.Fail, judge.Inconclusive} {
		if n := d.Verdicts[v]; n > 0 {
			fmt.Fprintf(t, "%s\t%d of %d\t%s\n", v, n, d.Runs, within(simulation.Chance(n, d.Runs)))
		}
	}
	fmt.Fprintf(t, "anybody refused\t\t%s\n", within(d.Any))
	fmt.Fprintf(t, "requests refused\t\tmean %s; half of the runs at most %s, at most %s\n", within(d.Refused), percent(d.Quantiles["p50"]), percent(d.Quantiles["max"]))
	fmt.Fprintln(t, "\nwho presents → who decides\trefused in\tchance of that\tof its requests\tat most")
	for _, p := range d.Parties {
		fmt.Fprintf(t, "%s → %s\t%d of %d runs\t%s\t%s\t%s\n", plaintext.Line(p.Presenter), plaintext.Line(p.Validator), p.In, d.Runs, within(p.Chance), percent(p.Share), percent(p.Most))
	}
	for i, v := range d.Varied {
		if i == 0 {
			fmt.Fprintln(t, "\nwhat varies\tfrom\tto\trefused where it is shorter\tand where it is longer")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", plaintext.Line(v.Path), plan.Text(v.Least), plan.Text(v.Most), within(v.Shorter), within(v.Longer))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Named)) {
		say("%s is named by findings in %d of %d runs", name, d.Named[name], d.Runs)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
