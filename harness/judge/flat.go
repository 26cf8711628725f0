package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// windows are the sliding windows in which auth failures are held against a
// limit, and how many times the objective's budget each may burn: a long phase
// may not hide a short outage. The multiples follow the burn rates that SRE
// practice alerts on, taken to these lengths (Google, The Site Reliability
// Workbook, ch. 5: 14.4 within an hour); a phase as a whole may burn its own
// budget once.
var windows = []struct {
	length time.Duration
	burn   float64
}{
	{time.Second, 100},
	{10 * time.Second, 20},
}

// flat holds when in every cell no sliding window and no phase exceeds its
// limit. Over a clean baseline every refusal of a rotation's credential is at
// least reported; only over a noisy one may statistics excuse it. Other rules ask for it
// too, so that it is found out once.
func flat(e *evidence) (Outcome, string, []Finding) {
	if e.flatness == nil {
		outcome, detail, findings := findFlat(e)
		e.flatness = &flatness{outcome, detail, findings}
	}
	return e.flatness.outcome, e.flatness.detail, slices.Clone(e.flatness.findings)
}

// flatness is what the rule flat has found.
type flatness struct {
	outcome  Outcome
	detail   string
	findings []Finding
}

func findFlat(e *evidence) (Outcome, string, []Finding) {
	var findings []Finding
	var failed, total int64
	unsure := "" // what nobody can tell
	for _, key := range e.hop() {
		sum := e.view.Sum(key, e.start, e.end+1)
		total += sum.Attempts
		if sum.AuthFailures == 0 {
			continue
		}
		failed += sum.AuthFailures
		f, open := e.judgeCell(key, &sum)
		if open != "" && unsure == "" {
			unsure = open
		}
		f.BudgetSpent = e.budgetSpent(key.Presenter, key.Validator)
		findings = append(findings, f)
	}
	thin := e.thin()
	noisy := cmp.Or(e.noisy(), unsure, e.answeredOtherwise(), e.unreadableRefusals())
	switch {
	case hasError(findings):
		return Fail, fmt.Sprintf("%d of %d attempts were refused", failed, total), findings
	case thin != "":
		return Inconclusive, thin, findings
	case noisy != "":
		return Inconclusive, noisy, findings
	case failed > 0:
		return Pass, fmt.Sprintf("%d of %d attempts were refused, inside the objective of %.6g%%", failed, total, 100*e.limits.Objective), findings
	}
	return Pass, fmt.Sprintf("0 of %d attempts were refused", total), findings
}

func hasError(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == Error {
			return true
		}
	}
	return false
}

// judgeCell explains what a cell was refused, and says how much that weighs: an
// error beyond the limits, but for what is usual. Over a noisy baseline the burst
// that stands out is what is explained, and what does not stand out is excused.
// Over a clean one everything counts that has a cause; what has none, and lies
// scattered, nobody can tell from noise that the baseline was too short to show:
// open says so.
func (e *evidence) judgeCell(key history.CellKey, sum *history.Counts) (f Finding, open string) {
	s, base := e.refusals(key), e.baseline(key.Presenter, key.Validator)
	noisy := e.beyond(&base)
	usual := tally{base.AuthFailures, base.Attempts}
	if noisy && usual.share() < mostNoise {
		if from, to, found := s.burst(s.usual, e.changed()); found {
			part := e.view.Sum(key, from, to)
			f = e.explain(key, &part)
			f.Level = Error
			f.Message += fmt.Sprintf("; before anything was changed it was refused %s times", usual)
			return f, ""
		}
	}
	f = e.explain(key, sum)
	f.Level = Warning
	if !e.exceeds(key) || e.excused(key) {
		return f, ""
	}
	if enough, scattered := s.scattered(); !noisy && f.Cause == CauseUnknown && scattered && usual.of > 0 {
		return f, cannotTell(key.Presenter, key.Validator, s.in(e.changed(), e.end+1), usual, enough)
	}
	f.Level = Error
	return f, ""
}

// exceeds reports whether a cell has a window or a phase over its limit.
func (e *evidence) exceeds(key history.CellKey) bool {
	over := func(c history.Counts, burn float64) bool {
		return c.AuthFailures > 0 && float64(c.AuthFailures) > burn*plan.Allowed(e.limits.Objective, c.Attempts)
	}
	for _, p := range e.phases {
		from, to := p.span()
		if over(e.view.Sum(key, from, to), 1) {
			return true
		}
	}
	for _, w := range windows {
		for _, b := range e.view.Buckets(key, e.start, e.end+1) {
			if b.AuthFailures > 0 && over(e.view.Sum(key, b.At, b.At+history.Offset(w.length)), w.burn) {
				return true
			}
		}
	}
	return false
}

// baseline is what a presenter saw at a validator before anything was changed.
// What was counted together with what came after is none of it: an authority may
// refuse the old credential as soon as the first step is taken.
func (e *evidence) baseline(presenter, validator string) history.Counts {
	var sum history.Counts
	for _, p := range e.phases {
		if p.Name != history.Baseline {
			continue
		}
		from, to := p.span()
		for _, key := range e.view.Keys() {
			if key.Source != e.limits.Hop || key.Presenter != presenter || key.Validator != validator {
				continue
			}
			for _, b := range e.view.Buckets(key, from, to) {
				if b.At+b.Width <= to {
					sum.Add(b.Counts)
				}
			}
		}
	}
	return sum
}

// beyond reports whether counts are beyond the objective.
func (e *evidence) beyond(c *history.Counts) bool {
	return !plan.Within(e.limits.Objective, c.AuthFailures, c.Attempts)
}

// changed is the end of the baseline.
func (e *evidence) changed() history.Offset {
	for _, p := range e.phases {
		if p.Name != history.Baseline {
			from, _ := p.span()
			return from
		}
	}
	return e.end
}

const (
	// chance is how often a run over a noisy baseline may be failed by bad luck.
	chance = 0.01
	// rise is how many times its noise a cell's share of failures must be before
	// the rotation is blamed for it.
	rise = 1.5
)

// excused reports whether a cell's failures are no more than its noisy baseline
// explains. Sessions are what is independent here, not attempts: one bad
// session fails again and again. So the share of failures is compared session
// by session (a two-sample z test on session means, one-sided), at chance
// divided by the number of cells (Bonferroni); and a rise that is small beside
// the noise tells nothing, however sure. A client without sessions to compare is
// compared second by second.
func (e *evidence) excused(key history.CellKey) bool {
	base := e.baseline(key.Presenter, key.Validator)
	if !e.beyond(&base) {
		return false
	}
	var before, after sample
	if client, there := e.limits.Client(key.Presenter); there && client.Sessions >= 2 {
		sum := e.view.Sum(key, e.changed(), e.end+1)
		before, after = sessionShares(&base, client.Sessions), sessionShares(&sum, client.Sessions)
	} else {
		was := key
		was.Credential = e.old // the only one of the baseline
		before, after = e.secondShares(was, e.start, e.changed()), e.secondShares(key, e.changed(), e.end+1)
	}
	if after.mean <= rise*before.mean {
		return true
	}
	se := math.Sqrt(before.variance/max(1, before.n) + after.variance/max(1, after.n))
	if se == 0 {
		return false
	}
	p := 0.5 * math.Erfc((after.mean-before.mean)/se/math.Sqrt2)
	return p > chance/float64(max(1, len(e.hop())))
}

// sample is the mean and variance of the shares of failures over n units.
type sample struct{ mean, variance, n float64 }

func sampleOf(shares []float64) sample {
	s := sample{n: float64(len(shares))}
	for _, share := range shares {
		s.mean += share / s.n
	}
	for _, share := range shares {
		s.variance += (share - s.mean) * (share - s.mean) / max(1, s.n-1)
	}
	return s
}

// secondShares are the shares of a cell's attempts that failed, by second of
// [from, to).
func (e *evidence) secondShares(key history.CellKey, from, to history.Offset) sample {
	const second = history.Offset(time.Second)
	var shares []float64
	var at history.Offset // the second under way, which had so many
	var attempts, failures int64
	done := func() {
		if attempts > 0 {
			shares = append(shares, float64(failures)/float64(attempts))
		}
		attempts, failures = 0, 0
	}
	for _, b := range e.view.Buckets(key, from, to-(to-from)%second) { // whole seconds only
		if begins := b.At - (b.At-from)%second; begins != at {
			done()
			at = begins
		}
		attempts, failures = attempts+b.Attempts, failures+b.AuthFailures
	}
	done()
	return sampleOf(shares)
}

// sessionShares are the shares of attempts that failed, by session. Attempts go
// to the sessions in turn, so each has its even part.
func sessionShares(c *history.Counts, sessions int) sample {
	each := float64(c.Attempts) / float64(sessions)
	shares := make([]float64, 0, sessions)
	for _, n := range c.FailedSessions {
		shares = append(shares, float64(n)/max(1, each))
	}
	slices.Sort(shares) // a sum of the same figures is to be the same each time
	for len(shares) < sessions {
		shares = append(shares, 0)
	}
	return sampleOf(shares)
}

// noisy says that the baseline itself was beyond the objective: then a run
// cannot show that a rotation did no harm.
func (e *evidence) noisy() string {
	for _, key := range e.hop() {
		base := e.baseline(key.Presenter, key.Validator)
		if e.beyond(&base) {
			return fmt.Sprintf("%s at %s was refused %d of %d times before anything was changed",
				key.Presenter, key.Validator, base.AuthFailures, base.Attempts)
		}
	}
	return ""
}

// budgetSpent is the part of the run's error budget that auth failures of one
// presenter at one validator spent; 1 is all of it.
func (e *evidence) budgetSpent(presenter, validator string) float64 {
	var sum history.Counts
	for _, key := range e.view.Keys() {
		if key.Source == e.limits.Hop && key.Presenter == presenter && key.Validator == validator {
			c := e.view.Sum(key, e.start, e.end+1)
			sum.Add(&c)
		}
	}
	return math.Round(1000*plan.Spent(e.limits.Objective, sum.AuthFailures, sum.Attempts)) / 1000
}
