package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Search is a sweep over one duration or count.
//
//	chance of harm
//	1 ┤▇▇▇▇▇▆▅
//	  │       ▃▂▁
//	0 ┤          ▁▁▁▁▁▁▁▁
//	  └───────────┬──┬───── value
//	     at the risk  by the bounds
type Search struct {
	Loaded   *scenario.Loaded
	Key      Key
	From, To int64 // in the key's unit; To 0: a little over what the bounds ask for
	Steps    int   // how many values of the curve, at least 2
	Runs     int   // rehearsals of each value
	Seed     int64 // of the first of them; 0: the scenario's
	// Speed is that of values that it leaves enough of, 0: the scenario's. Smaller ones are
	// rehearsed at the largest that does.
	Speed float64
	// Risk is the chance of harm that is accepted, and Share the share of requests that
	// may be refused; 0: what the page's objective leaves.
	Risk, Share float64
	// Done is told after each rehearsal how many there are to be at most; nil: nobody is.
	Done func(of int)
}

// Curve is what a sweep came to.
type Curve struct {
	Key  string  `json:"key"`
	Unit Unit    `json:"unit"` // of all values
	Now  int64   `json:"now"`  // what page or scenario says
	Risk float64 `json:"risk"`
	// Share is the share of requests that may be refused.
	Share float64 `json:"share"`
	Runs  int     `json:"runs_per_value"`
	// Bounds is the value from which on no bound is broken that hangs on it, and AtRisk that
	// from which on the risk is accepted.
	Bounds  Safe    `json:"by_the_bounds"`
	AtRisk  Safe    `json:"at_the_risk"`
	Points  []Point `json:"points"`            // by value
	Partial bool    `json:"partial,omitempty"` // it was interrupted
}

// Keeps reports whether what page or scenario says is safe at the risk.
func (c *Curve) Keeps() bool {
	switch {
	case c.AtRisk.Never:
		return false
	case c.AtRisk.Largest:
		return c.Now <= c.AtRisk.Value
	}
	return c.Now >= c.AtRisk.Value
}

// Safe is the smallest safe value or, where less is safer, the largest.
type Safe struct {
	Value   int64 `json:"value,omitempty"`
	Largest bool  `json:"largest,omitempty"`
	Never   bool  `json:"never,omitempty"` // none up to the end of the sweep
	// Unknown says that it was not looked for, or not to the end.
	Unknown bool `json:"unknown,omitempty"`
	// Decides is the party, or the bound, that keeps it from being smaller, or larger.
	Decides string `json:"decides,omitempty"`
}

// Point is one value.
type Point struct {
	Value int64 `json:"value"`
	Runs  int   `json:"runs"`
	// Any is the chance of harm in a rotation that begins at any moment: somebody is
	// refused or, of the watch, the old credential is still taken at its end.
	Any Interval `json:"any"`
	// Refused is the share of requests that is refused.
	Refused Interval `json:"refused"`
	// By are those who refuse or keep, with how many rehearsals they do so in.
	By map[string]int `json:"by,omitempty"`
}

// ErrSearch is in the chain of an error of what is searched for.
var ErrSearch = errors.New("cannot sweep")

// sweep is one under way.
type sweep struct {
	Search
	curve Curve
	kept  bool // harm is that the old credential is still taken
}

// Sweep varies a duration. When ctx ends, it returns what was found until then.
func Sweep(ctx context.Context, s Search) (*Curve, error) {
	w := &sweep{Search: s, kept: s.Key.Path == short["watch"]}
	w.curve = Curve{Key: s.Key.Path, Unit: s.Key.Unit, Now: s.Key.Value(s.Loaded), Risk: s.Risk, Share: s.Share, Runs: s.Runs}
	p, err := w.plan(w.curve.Now)
	if err != nil {
		return nil, err
	}
	if w.curve.Share == 0 {
		w.curve.Share = 1 - p.Limits.Objective
	}
	if err := w.bounds(p); err != nil {
		return nil, err
	}
	values := w.values()
	most := len(values) + refinements
	for i, v := range values {
		if err := w.point(ctx, v, most-i); err != nil {
			return nil, err
		}
	}
	safe := func(p Point) bool { return p.Any.High <= w.curve.Risk && p.Refused.High <= w.curve.Share }
	if w.curve.AtRisk, err = w.refine(ctx, safe); err != nil {
		return nil, err
	}
	w.curve.Partial = ctx.Err() != nil
	return &w.curve, nil
}

// plan is the plan of a value. Nothing stops a rehearsal: what is asked is what would
// come of it.
func (w *sweep) plan(v int64) (*plan.Plan, error) {
	p, err := plan.Build(w.Key.With(w.Loaded, v), plan.Options{
		Simulated: true, Gates: scenario.Off, OnBudget: scenario.BudgetRecord, Seed: w.Seed, Speed: w.Speed, Slower: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%s = %s: %w", w.Key.Path, w.Key.Text(v), err)
	}
	p.AnyMoment = true
	return p, nil
}

// bounds finds the least value that the bounds allow, and where the sweep ends.
func (w *sweep) bounds(now *plan.Plan) error {
	broken := func(v int64) (names []string, err error) {
		p, err := w.plan(v)
		if err != nil {
			return nil, err
		}
		for _, b := range p.Limits.Bounds() {
			if !b.Held && b.Needed != runbook.Forever {
				names = append(names, b.Rule+" "+b.Validator)
			}
		}
		return names, nil
	}
	least := &w.curve.Bounds
	for _, b := range now.Limits.Bounds() {
		v, _ := now.Limits.Validator(b.Validator)
		switch {
		case b.Field != w.Key.Path || b.Validator != "" && !v.OnPage:
		case b.Needed == runbook.Forever:
			least.Never, least.Decides = true, strings.TrimSpace(b.Rule+" "+b.Validator)
		case int64(b.Needed) > least.Value && !least.Never:
			least.Value, least.Decides = int64(b.Needed), strings.TrimSpace(b.Rule+" "+b.Validator)
		}
	}
	if w.To == 0 {
		w.To = w.Key.round(max(least.Value+least.Value/4, w.curve.Now, leastEnd*w.Key.grain()))
	}
	if w.To <= w.From {
		return fmt.Errorf("%w: it would end at %s, before %s where it begins", ErrSearch, w.Key.Text(w.To), w.Key.Text(w.From))
	}
	if least.Decides != "" {
		return nil
	}
	// It is in no bound's field: a term of them, or nothing.
	low, err := broken(w.From)
	if err != nil {
		return err
	}
	high, err := broken(w.To)
	if err != nil {
		return err
	}
	if slices.Equal(low, high) {
		least.Unknown = true
		return nil
	}
	a, b := w.From, w.To
	for b-a > w.Key.grain() {
		middle := w.Key.round(a + (b-a)/2)
		if middle == a || middle == b {
			break
		}
		got, err := broken(middle)
		if err != nil {
			return err
		}
		if slices.Equal(got, low) {
			a = middle
		} else {
			b = middle
		}
	}
	least.Value = b
	if len(low) < len(high) {
		least.Value, least.Largest = a, true
	}
	for _, name := range slices.Concat(low, high) {
		if !slices.Contains(low, name) || !slices.Contains(high, name) {
			least.Decides = strings.TrimSpace(name)
		}
	}
	return nil
}

// leastEnd is how many grains a sweep has at least, where neither bounds nor page say where it ends.
const leastEnd = 60

// values are those of the curve, in whole grains, with what the bounds say.
func (w *sweep) values() []int64 {
	var values []int64
	for i := range w.Steps {
		values = append(values, w.Key.round(w.From+(w.To-w.From)/int64(max(1, w.Steps-1))*int64(i)))
	}
	values[len(values)-1] = w.Key.round(w.To)
	if b := w.curve.Bounds; b.Value > w.From && b.Value < w.To {
		values = append(values, b.Value)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// point rehearses a value.
func (w *sweep) point(ctx context.Context, v int64, left int) error {
	if ctx.Err() != nil || slices.ContainsFunc(w.curve.Points, func(p Point) bool { return p.Value == v }) {
		return nil
	}
	done := func() {
		if w.Done != nil {
			w.Done(left * w.Runs)
		}
	}
	planned, err := w.plan(v)
	if err != nil {
		return err
	}
	samples, err := Draw(ctx, planned, w.Runs, done)
	if err != nil || len(samples) == 0 {
		return err
	}
	p := Point{Value: v, Runs: len(samples), By: map[string]int{}}
	harmed, shares := 0, make([]float64, 0, len(samples))
	for _, s := range samples {
		shares = append(shares, s.Share())
		if w.harmed(s) {
			harmed++
		}
	}
	p.Any, p.Refused = Chance(harmed, len(samples)), Mean(shares)
	if w.kept {
		p.Refused = Interval{}
	}
	for _, s := range samples {
		for _, name := range w.harmers(s) {
			p.By[name]++
		}
	}
	w.curve.Points = append(w.curve.Points, p)
	slices.SortFunc(w.curve.Points, func(a, b Point) int { return cmp.Compare(a.Value, b.Value) })
	return nil
}

// harmed reports whether a rehearsal did harm.
func (w *sweep) harmed(s Sample) bool { return len(w.harmers(s)) > 0 }

// harmers are those who did: who refused or, of the watch, kept.
func (w *sweep) harmers(s Sample) (names []string) {
	if w.kept {
		return s.Kept
	}
	for _, b := range s.By {
		if b.Refused > 0 && !slices.Contains(names, b.Validator) {
			names = append(names, b.Validator)
		}
	}
	return names
}

// refinements is how often the step is halved in which the least value lies.
const refinements = 6

// refine finds the value from which on all are safe: the larger ones or, where less is safer, the smaller.
func (w *sweep) refine(ctx context.Context, safe func(Point) bool) (Safe, error) {
	for range refinements {
		unsafe, least, _ := w.edge(safe)
		if least < 0 || unsafe < 0 {
			break
		}
		a, b := w.curve.Points[unsafe].Value, w.curve.Points[least].Value
		middle := w.Key.round(a + (b-a)/2)
		if max(b-a, a-b) <= max(w.Key.grain(), w.To/200) || middle == a || middle == b || ctx.Err() != nil {
			break
		}
		if err := w.point(ctx, middle, refinements); err != nil {
			return Safe{}, err
		}
	}
	unsafe, least, largest := w.edge(safe)
	l := Safe{Unknown: len(w.curve.Points) == 0, Never: least < 0 && len(w.curve.Points) > 0, Largest: largest}
	if least >= 0 {
		l.Value = w.curve.Points[least].Value
	}
	if unsafe >= 0 {
		l.Decides = most(w.curve.Points[unsafe].By)
	}
	return l, nil
}

// edge are the places of the last value that is not safe and of the first after it, from which on all
// are; where less is safer, of the first that is not and of the one before. -1: there is none.
func (w *sweep) edge(safe func(Point) bool) (unsafe, least int, largest bool) {
	points := w.curve.Points
	if n := len(points); n > 1 && safe(points[0]) && !safe(points[n-1]) {
		unsafe = slices.IndexFunc(points, func(p Point) bool { return !safe(p) })
		return unsafe, unsafe - 1, true
	}
	unsafe = -1
	for i, p := range points {
		if !safe(p) {
			unsafe = i
		}
	}
	if unsafe+1 < len(points) {
		return unsafe, unsafe + 1, false
	}
	return unsafe, -1, false
}

// most is who is there most often; of several the first by name.
func most(by map[string]int) (name string) {
	for _, n := range slices.Sorted(maps.Keys(by)) {
		if name == "" || by[n] > by[name] {
			name = n
		}
	}
	return name
}
