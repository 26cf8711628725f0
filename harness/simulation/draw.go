package simulation

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// Sample is what one of many simulated rehearsals came to.
type Sample struct {
	Seed    int64         `json:"seed"`
	Verdict judge.Outcome `json:"verdict"`
	// Attempts are the first attempts where it is judged, and Refused the auth
	// failures among them; By the same by who presents and who decides.
	Attempts int64  `json:"attempts"`
	Refused  int64  `json:"refused"`
	By       []Pair `json:"by"`
	// Kept are the validators that still took the old credential when last asked, after
	// its revoke.
	Kept []string `json:"kept,omitempty"`
	// Named are the parties that findings of level error name.
	Named []string `json:"named,omitempty"`
	// Drawn are the durations that vary, as they were, by their paths; page time.
	Drawn map[string]time.Duration `json:"drawn_ns,omitempty"`
}

// Pair is who presents a credential to whom, and how often that was refused.
type Pair struct {
	Presenter string `json:"presenter"`
	Validator string `json:"validator"`
	Attempts  int64  `json:"attempts"`
	Refused   int64  `json:"refused"`
}

// Share is the share of attempts that was refused.
func (s Sample) Share() float64 { return float64(s.Refused) / float64(max(1, s.Attempts)) }

// Draw rehearses a plan with n seeds from its own on, several at a time, and calls done
// after each, one call at a time. When ctx ends it returns what was done until then.
func Draw(ctx context.Context, p *plan.Plan, n int, done func()) ([]Sample, error) {
	samples := make([]Sample, n)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex // done is called one at a time
	for i := range n {
		group.Go(func() error {
			s, err := draw(within, p, p.Seed+int64(i))
			if err != nil || s.Seed == 0 {
				return err
			}
			samples[i] = s
			mu.Lock()
			defer mu.Unlock()
			done()
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		err = nil // the samples say how far it came
	}
	return slices.DeleteFunc(samples, func(s Sample) bool { return s.Seed == 0 }), err
}

// draw is one; without a seed where it was interrupted.
func draw(ctx context.Context, p *plan.Plan, seed int64) (s Sample, err error) {
	if ctx.Err() != nil {
		return s, nil
	}
	if p, err = p.WithSeed(seed); err != nil {
		return s, err
	}
	r, err := Rehearse(ctx, p, simulated.Options{Seed: seed})
	if ctx.Err() != nil {
		return Sample{}, nil
	}
	if err != nil {
		return s, err
	}
	v := rules.Judge(r.History, p.Limits)
	s = Sample{Seed: seed, Verdict: v.Verdict, Drawn: p.Drawn}
	for _, f := range v.Findings {
		if f.Level == judge.Error && f.Consumer != "" && !slices.Contains(s.Named, f.Consumer) {
			s.Named = append(s.Named, f.Consumer)
		}
	}
	for _, e := range r.History.Events {
		if e.Kind == history.KindCounts && e.Counts.Source == p.Limits.JudgedAt {
			s.add(e.Counts)
		}
	}
	slices.SortFunc(s.By, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Presenter, b.Presenter), cmp.Compare(a.Validator, b.Validator))
	})
	view := history.ViewOf(r.History)
	for _, validator := range p.Limits.Validators {
		if said := view.Said(validator.Name, rotation.Old, history.OldAfter); said.Taken > 0 && said.InARow == 0 {
			s.Kept = append(s.Kept, validator.Name)
		}
	}
	return s, nil
}

// add counts a bucket.
func (s *Sample) add(c *history.Counts) {
	i := slices.IndexFunc(s.By, func(b Pair) bool { return b.Presenter == c.Presenter && b.Validator == c.Validator })
	if i < 0 {
		i = len(s.By)
		s.By = append(s.By, Pair{Presenter: c.Presenter, Validator: c.Validator})
	}
	s.By[i].Attempts += c.Attempts
	s.By[i].Refused += c.AuthFailures
	s.Attempts += c.Attempts
	s.Refused += c.AuthFailures
}
