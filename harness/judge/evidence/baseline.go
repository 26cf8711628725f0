package evidence

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Windows are the sliding windows in which auth failures are limited, and the multiple of the
// objective's budget that each may burn: a long phase must not hide a short outage. The multiples
// extend the burn rates of SRE alerting to these lengths (Google, The Site Reliability Workbook, ch. 5:
// 14.4 within an hour); a whole phase may burn its own budget once.
var Windows = []struct {
	Length time.Duration
	Burn   float64
}{
	{time.Second, 100},
	{10 * time.Second, 20},
}

// Baseline is what a presenter saw at a validator before anything was changed. A bucket that reaches
// beyond that is left out: an authority may refuse the old credential as soon as the first step is
// taken.
func (e *Evidence) Baseline(presenter, validator string) history.Counts {
	var sum history.Counts
	for _, p := range e.Phases {
		if p.Name != history.Baseline {
			continue
		}
		from, to := p.Span()
		for _, key := range e.View.Keys() {
			if key.Source != e.Limits.JudgedAt || key.Presenter != presenter || key.Validator != validator {
				continue
			}
			for _, b := range e.View.Buckets(key, from, to) {
				if b.At+b.Width <= to {
					sum.Add(b.Counts)
				}
			}
		}
	}
	return sum
}

// Beyond reports whether counts are beyond the objective.
func (e *Evidence) Beyond(c *history.Counts) bool {
	return !plan.Within(e.Limits.Objective, c.AuthFailures, c.Attempts)
}

// Changed is the end of the baseline.
func (e *Evidence) Changed() history.Offset {
	for _, p := range e.Phases {
		if p.Name != history.Baseline {
			from, _ := p.Span()
			return from
		}
	}
	return e.End
}

const (
	// Chance is how often a run over a noisy baseline may be failed by bad luck: so seldom that a gate in
	// CI, which rehearses a few thousand times in its life, is not failed by it.
	Chance = 0.001
	// Rise is how many times its noise a cell's share of failures must reach before the rotation is
	// blamed.
	Rise = 1.5
)
