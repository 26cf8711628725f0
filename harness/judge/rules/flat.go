package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/watch"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// flat holds when no sliding window and no phase of any cell exceeds its limit. Over a clean baseline
// every refusal of a rotation's credential is at least reported; only over a noisy one may statistics
// excuse it.
func flat(e *judging) (judge.Outcome, string, []judge.Finding) {
	return e.once("flat", findFlat)
}

func findFlat(e *judging) (judge.Outcome, string, []judge.Finding) {
	var findings []judge.Finding
	var failed, total int64
	unsure := "" // what nobody can tell
	for _, key := range e.JudgedCells() {
		sum := e.View.Sum(key, e.Start, e.End+1)
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
	others, refused, attempts := e.strangers()
	findings, failed, total = append(findings, others...), failed+refused, total+attempts
	thin := cmp.Or(e.ownNames(), e.thin())
	noisy := cmp.Or(e.noisy(), unsure, e.Unnamed(), watch.ChecksNothing(e.Evidence), watch.TakesAnyValue(e.Evidence))
	otherwise := unanswered.AnsweredOtherwise(e.Evidence)
	switch {
	case judge.HasError(findings):
		return judge.Fail, fmt.Sprintf("%d of %d attempts were refused", failed, total), findings
	case otherwise != "": // the missing answers were answered so
		return judge.Inconclusive, otherwise, findings
	case thin != "":
		return judge.Inconclusive, cmp.Or(e.proberTurnedAway(), thin), findings
	case noisy != "":
		return judge.Inconclusive, noisy, findings
	case failed > 0:
		return judge.Pass, fmt.Sprintf("%d of %d attempts were refused, inside the objective of %.6g%%", failed, total, 100*e.Limits.Objective), findings
	}
	return judge.Pass, fmt.Sprintf("0 of %d attempts were refused", total), findings
}

// judgeCell explains why a cell was refused, and how much that weighs: an error beyond the limits, less
// what is usual. Over a noisy baseline it explains the burst that stands out and excuses the rest. Over
// a clean one everything with a cause counts; scattered refusals without one cannot be told from noise
// that the baseline was too short to show, and open says so.
func (e *judging) judgeCell(key history.CellKey, sum *history.Counts) (f judge.Finding, open string) {
	s, base := e.Refusals(key), e.Baseline(key.Presenter, key.Validator)
	noisy := e.Beyond(&base)
	usual := evidence.Tally{Bad: base.AuthFailures, Of: base.Attempts}
	if noisy && usual.Share() < evidence.MostNoise {
		if from, to, found := s.Burst(s.Usual, e.Changed()); found {
			part := e.View.Sum(key, from, to)
			f = cause.Explain(e.Evidence, key, &part)
			f.Level = judge.Error
			f.Message += fmt.Sprintf("; before anything was changed it was refused %s times", usual)
			return f, ""
		}
	}
	f = cause.Explain(e.Evidence, key, sum)
	f.Level = judge.Warning
	if !e.exceeds(key) || e.excused(key) {
		return f, ""
	}
	if enough, scattered := s.Scattered(); !noisy && f.Cause == judge.CauseUnknown && scattered && usual.Of > 0 {
		return f, evidence.CannotTell(key.Presenter, key.Validator, s.In(e.Changed(), e.End+1), usual, enough)
	}
	f.Level = judge.Error
	return f, ""
}

// exceeds reports whether a cell has a window or a phase over its limit.
func (e *judging) exceeds(key history.CellKey) bool {
	over := func(c history.Counts, burn float64) bool {
		return c.AuthFailures > 0 && float64(c.AuthFailures) > burn*plan.Allowed(e.Limits.Objective, c.Attempts)
	}
	for _, p := range e.Phases {
		from, to := p.Span()
		if over(e.View.Sum(key, from, to), 1) {
			return true
		}
	}
	for _, w := range evidence.Windows {
		for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
			if b.AuthFailures > 0 && over(e.View.Sum(key, b.At, b.At+history.Offset(w.Length)), w.Burn) {
				return true
			}
		}
	}
	return false
}

// excused reports whether a cell's failures are no more than its noisy baseline explains. Sessions are
// independent, attempts are not: one bad session fails again and again. So the shares of failures are
// compared session by session (a two-sample z test on session means, one-sided), at chance divided by
// the number of cells (Bonferroni). A rise that is small beside the noise tells nothing, however
// certain. A client without sessions is compared second by second.
func (e *judging) excused(key history.CellKey) bool {
	base := e.Baseline(key.Presenter, key.Validator)
	if !e.Beyond(&base) {
		return false
	}
	var before, after sample
	if client, ok := e.Limits.Client(key.Presenter); ok && client.Sessions >= 2 {
		sum := e.View.Sum(key, e.Changed(), e.End+1)
		before, after = sessionShares(&base, client.Sessions), sessionShares(&sum, client.Sessions)
	} else {
		was := key
		was.Credential = e.Old // the only one of the baseline
		before, after = e.secondShares(was, e.Start, e.Changed()), e.secondShares(key, e.Changed(), e.End+1)
	}
	if after.mean <= evidence.Rise*before.mean {
		return true
	}
	se := math.Sqrt(before.variance/max(1, before.n) + after.variance/max(1, after.n))
	if se == 0 {
		return false
	}
	p := 0.5 * math.Erfc((after.mean-before.mean)/se/math.Sqrt2)
	return p > evidence.Chance/float64(max(1, len(e.JudgedCells())))
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
func (e *judging) secondShares(key history.CellKey, from, to history.Offset) sample {
	const second = history.Offset(time.Second)
	var shares []float64
	var at history.Offset // the current second
	var attempts, failures int64
	done := func() {
		if attempts > 0 {
			shares = append(shares, float64(failures)/float64(attempts))
		}
		attempts, failures = 0, 0
	}
	for _, b := range e.View.Buckets(key, from, to-(to-from)%second) { // whole seconds only
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
	slices.Sort(shares) // sorted, so that the sum is reproducible
	for len(shares) < sessions {
		shares = append(shares, 0)
	}
	return sampleOf(shares)
}

// noisy says that the baseline itself was beyond the objective: such a run cannot show that a rotation
// did no harm.
func (e *judging) noisy() string {
	for _, key := range e.JudgedCells() {
		base := e.Baseline(key.Presenter, key.Validator)
		if e.Beyond(&base) {
			return fmt.Sprintf("%s at %s was refused %d of %d times before anything was changed",
				key.Presenter, key.Validator, base.AuthFailures, base.Attempts)
		}
	}
	return ""
}

// budgetSpent is the part of the run's error budget that auth failures of one
// presenter at one validator spent; 1 is all of it.
func (e *judging) budgetSpent(presenter, validator string) float64 {
	var sum history.Counts
	for _, key := range e.View.Keys() {
		if key.Source == e.Limits.JudgedAt && key.Presenter == presenter && key.Validator == validator {
			c := e.View.Sum(key, e.Start, e.End+1)
			sum.Add(&c)
		}
	}
	return math.Round(1000*plan.Spent(e.Limits.Objective, sum.AuthFailures, sum.Attempts)) / 1000
}
