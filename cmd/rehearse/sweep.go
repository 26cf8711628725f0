package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/simulation"
	"github.com/rehearse-dev/rehearse/reports/chart"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// sweepFlags are those of `rehearse sweep`.
type sweepFlags struct {
	key, from, to string
	risk, share   string
	ui, chart     string
	search        simulation.Search
}

// sweepCommand is `rehearse sweep [SCENARIO]`.
func sweepCommand() *cobra.Command {
	var f sweepFlags
	command := &cobra.Command{
		Use:   "sweep [SCENARIO]",
		Short: "Find the smallest safe lead, window or watch in virtual time, and what less would risk",
		Long: "Vary one duration or number of a page or a scenario, simulate the rotation many times at each value, and\n" +
			"tell the smallest that is safe: by the bounds, which hold at every moment; and at a chosen risk, for\n" +
			"a rotation that begins at any moment. Nothing stops the rotation: the gates are off. Harm is that\n" +
			"anybody is refused; of the watch, that the old credential is still taken at its end.\n\n" +
			"Exit codes: 0 the page's own value is safe at the risk · 1 it is not · 2 bad usage, or it cannot be\n" +
			"simulated · 130 interrupted: what was found until then is told.",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			name := scenarios.Default
			if len(args) > 0 {
				name = args[0]
			}
			return f.sweep(command, name)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.key, "key", "lead", "what to vary: lead, window, watch, or any duration or number of page or scenario by its `path`,\n"+
		"as consumers.NAME.refresh, services.NAME.ttl, load.CLIENT.token.life, services.NAME.count")
	flags.StringVar(&f.from, "from", "0", "the smallest value: of a duration in page time")
	flags.StringVar(&f.to, "to", "", "the largest (default: a quarter over what the bounds ask for)")
	flags.IntVar(&f.search.Steps, "steps", 11, "how many values the curve has, beside those that it is refined by")
	flags.IntVar(&f.search.Runs, "runs", 100, "how many rehearsals of each value")
	flags.StringVar(&f.risk, "risk", "5%", "the chance of any harm that is accepted: its upper limit (95 %) is held against it")
	flags.StringVar(&f.share, "share", "", "the share of requests that may be refused (default: what the page's objective leaves)")
	flags.Int64Var(&f.search.Seed, "seed", 0, "over the scenario's: that of the first rehearsal of each value")
	flags.Float64Var(&f.search.Speed, "speed", 0, "over the scenario's: what the durations of the page are divided by")
	flags.StringVar(&f.ui, "ui", uiPlain, "how it is told: plain (a table), json")
	flags.StringVar(&f.chart, "chart", "", "draw the risk curve into this `file`: .svg, .html or .png")
	completes(command, "key", "lead", "window", "watch", "propagation")
	completes(command, "ui", uiPlain, uiJSON)
	return command
}

// check reads the flags.
func (f *sweepFlags) check() (err error) {
	fail := func(flag string, err error) error { return usage(fmt.Errorf("--%s: %w", flag, err)) }
	for _, s := range []struct {
		flag, text string
		to         *float64
	}{{"risk", f.risk, &f.search.Risk}, {"share", f.share, &f.search.Share}} {
		if s.text == "" {
			continue
		}
		var read runbook.Percent
		if err := read.UnmarshalText([]byte(s.text)); err != nil {
			return fail(s.flag, err)
		}
		*s.to = float64(read)
	}
	switch least := simulation.LeastRuns(f.search.Risk); {
	case f.search.Risk <= 0:
		return fail("risk", errors.New("want more than 0%: no number of rehearsals shows that there is none; that is what the bounds are for"))
	case f.search.Steps < 2:
		return fail("steps", fmt.Errorf("%d is less than 2", f.search.Steps))
	case f.search.Runs < least:
		return fail("runs", fmt.Errorf("%d cannot show that the chance is at most %s: it takes %d", f.search.Runs, percent(f.search.Risk), least))
	}
	if extension := filepath.Ext(f.chart); f.chart != "" && !slices.Contains([]string{".svg", ".html", ".png"}, extension) {
		return fail("chart", fmt.Errorf("%s: want a name that ends in .svg, .html or .png", f.chart))
	}
	return oneOf("--ui", f.ui, uiPlain, uiJSON)
}

// between finds the key, and reads from where to where it is varied.
func (f *sweepFlags) between() (err error) {
	s := &f.search
	if s.Key, err = simulation.KeyOf(s.Loaded, f.key); err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	if s.From, err = s.Key.Parse(f.from); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if f.to == "" {
		return nil
	}
	if s.To, err = s.Key.Parse(f.to); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return nil
}

func (f *sweepFlags) sweep(command *cobra.Command, name string) error {
	if err := f.check(); err != nil {
		return err
	}
	loaded, err := loadScenario(name)
	if err != nil {
		return err
	}
	p, err := plan.Build(loaded, plan.Options{Simulated: true, Speed: f.search.Speed})
	if err != nil {
		return err
	}
	if err := harness.Simulatable(p); err != nil {
		return err
	}
	f.search.Loaded = loaded
	if err := f.between(); err != nil {
		return usage(err)
	}
	bar := newProgress(command.ErrOrStderr(), "rehearsals simulated")
	f.search.Done = bar.step
	curve, err := simulation.Sweep(command.Context(), f.search)
	bar.end()
	if errors.Is(err, simulation.ErrSearch) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	out := command.OutOrStdout()
	if f.ui == uiJSON {
		err = json.NewEncoder(out).Encode(map[string]any{
			"schema": "rehearse/sweep/v1", "scenario": p.Name, "runtime": harness.Simulated, "speed": p.Speed, "curve": curve,
		})
	} else {
		err = printCurve(out, p.Name, curve)
	}
	if f.chart != "" && err == nil {
		if err = drawCurve(f.chart, p.Name, curve); err == nil && f.ui != uiJSON {
			_, err = fmt.Fprintf(out, "\nchart  %s\n", plaintext.Line(f.chart))
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("tell the sweep: %w", err)
	case curve.Partial:
		return interrupted()
	case !curve.Keeps():
		return &exitError{code: exitFail}
	}
	return nil
}

// saysSafe words a safe value.
func saysSafe(k simulation.Key, l simulation.Safe) string {
	switch {
	case l.Unknown:
		return "not known"
	case l.Never && l.Decides != "":
		return "no value up to the end, because of " + l.Decides
	case l.Never:
		return "no value up to the end"
	}
	text := k.Text(l.Value)
	if l.Largest {
		text = "at most " + text
	}
	if l.Decides != "" {
		text += ", decided by " + l.Decides
	}
	return text
}

// printCurve prints a sweep.
func printCurve(w io.Writer, name string, c *simulation.Curve) error {
	key := simulation.Key{Path: c.Key, Unit: c.Unit}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) // it keeps the first error, which Flush returns
	fmt.Fprintln(t, plaintext.Line(fmt.Sprintf("simulated, not run: %s of %s, %d rehearsals of each value", c.Key, name, c.Runs)))
	if c.Partial {
		fmt.Fprintln(t, "interrupted: what was found until then")
	}
	fmt.Fprintf(t, "\nthe page says\t%s\n", key.Text(c.Now))
	fmt.Fprintf(t, "safe by the bounds\t%s\n", plaintext.Line(saysSafe(key, c.Bounds)))
	fmt.Fprintf(t, "safe at the risk\t%s\n", plaintext.Line(saysSafe(key, c.AtRisk)))
	fmt.Fprintf(t, "\t(chance of any harm at most %s, of requests refused at most %s, at any moment)\n\n", percent(c.Risk), percent(c.Share))
	fmt.Fprintf(t, "%s\tchance of any harm\trequests refused\twho\n", c.Key)
	for _, p := range c.Points {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", key.Text(p.Value), within(p.Any), within(p.Refused),
			plaintext.Line(strings.Join(slices.Sorted(maps.Keys(p.By)), ", ")))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// drawCurve draws a sweep into a file.
func drawCurve(file, name string, c *simulation.Curve) error {
	key := simulation.Key{Path: c.Key, Unit: c.Unit}
	scale := 1.0 // of what is drawn: seconds, or how many
	if c.Unit == simulation.PageTime {
		scale = float64(time.Second)
	}
	title := fmt.Sprintf("Chance of harm by %s, simulated", c.Key)
	picture := &chart.Curve{
		Title: title, Width: 760, Height: 420, XName: c.Key, YName: "chance of any harm",
		Description: fmt.Sprintf("%s: safe by the bounds %s; at the risk %s.", name, saysSafe(key, c.Bounds), saysSafe(key, c.AtRisk)),
		XText:       func(x float64) string { return key.Text(int64(x * scale)) },
	}
	if c.Unit == simulation.PageTime {
		picture.XName += " (page time)"
	}
	for _, p := range c.Points {
		picture.Points = append(picture.Points, chart.CurvePoint{X: float64(p.Value) / scale, Y: p.Any.Estimate, Low: p.Any.Low, High: p.Any.High})
	}
	for _, m := range []struct {
		name string
		at   simulation.Safe
	}{{"by the bounds", c.Bounds}, {fmt.Sprintf("at a risk of %s", percent(c.Risk)), c.AtRisk}} {
		if !m.at.Never && !m.at.Unknown {
			picture.Marks = append(picture.Marks, chart.CurveMark{X: float64(m.at.Value) / scale, Name: m.name + ": " + saysSafe(key, m.at)})
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	write := func() error {
		if filepath.Ext(file) == ".png" {
			return chart.WritePNG(out, picture, name)
		}
		svg, err := chart.SVG(picture, "sweep")
		if err != nil {
			return err
		}
		if filepath.Ext(file) == ".html" {
			_, err = fmt.Fprintf(out, "<!doctype html>\n<meta charset=\"utf-8\"><title>%s</title>\n<body style=\"font:15px sans-serif;max-width:60rem;margin:2rem auto\">\n<h1>%s</h1>\n<p>%s</p>\n%s\n",
				html.EscapeString(title), html.EscapeString(title), html.EscapeString(picture.Description), svg)
			return err
		}
		_, err = io.WriteString(out, strings.Replace(svg, "<svg ", `<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" `, 1))
		return err
	}
	return errors.Join(write(), out.Close())
}
