package reports

import (
	"cmp"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// PairChange is one client at one service in both runs, as one source saw them.
type PairChange struct {
	Presenter string         `json:"presenter"`
	Validator string         `json:"validator"`
	Source    history.Source `json:"source"`
	// Judged says that the source is the one that decides flatness.
	Judged bool   `json:"judged"`
	Before Counts `json:"before"`
	After  Counts `json:"after"`
	// AuthFailures and Unavailable are the changes that count.
	AuthFailures Change `json:"auth_failures"`
	Unavailable  Change `json:"unavailable"`
}

// Counts are the first attempts of a client at a service over a whole run.
type Counts struct {
	Attempts     int64 `json:"attempts"`
	AuthFailures int64 `json:"auth_failures"`
	Unavailable  int64 `json:"unavailable"`
	// BudgetSpent is the part of the error budget that auth failures spent; 1 is
	// all of it. It is 0 where the objective is not known.
	BudgetSpent float64 `json:"error_budget_spent_ratio"`
	// P50MS and P99MS are those of the slowest phase, in wall time.
	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`
}

// tolerated is the relative change of a share that two runs of one scenario may show by chance: a
// known-bad one fails for as long as a cache takes to turn over.
const tolerated = 0.1

// rose reports whether a share of attempts rose by more than that and what the
// objective allows.
func rose(before, after, objective float64) bool {
	const rounding = 1e-12 // 1 − 0.999 is a little more than 0.001 in binary
	return after > before*(1+tolerated)+(1-objective)+rounding
}

func shareChange(before, beforeOf, after, afterOf int64, objective float64) Change {
	if afterOf == 0 && beforeOf > 0 {
		return NotExercised
	}
	b, a := ratio(before, beforeOf), ratio(after, afterOf)
	switch {
	case rose(b, a, objective):
		return Worse
	case rose(a, b, objective):
		return Better
	}
	return Same
}

func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// pairChanges lists the clients and services of both runs, the judged ones
// first.
func pairChanges(before, after *Model) []PairChange {
	changes := []PairChange{}
	objective := max(before.Limits.Objective, after.Limits.Objective)
	all := pairs(after)
	for _, p := range pairs(before) {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, p := range all {
		b, a := countsOf(before, p), countsOf(after, p)
		judged := after.judged(judge.Cell{Source: p.source})
		c := PairChange{
			Presenter: p.presenter, Validator: p.validator, Source: p.source, Judged: judged, Before: b, After: a,
			AuthFailures: Same, Unavailable: Same,
		}
		// Each change is judged where the rules judge it: a refusal where the credential is checked, a
		// missing answer where users call.
		if judged {
			c.AuthFailures = shareChange(b.AuthFailures, b.Attempts, a.AuthFailures, a.Attempts, objective)
		}
		if p.source == history.FromLoad {
			c.Unavailable = shareChange(b.Unavailable, b.Attempts, a.Unavailable, a.Attempts, objective)
		}
		changes = append(changes, c)
	}
	return changes
}

// countsOf adds up the cells of a pair over all phases.
func countsOf(m *Model, p pair) Counts {
	var sum Counts
	for _, c := range m.Cells {
		if pairOf(c) != p {
			continue
		}
		sum.Attempts += c.Attempts
		sum.AuthFailures += c.AuthFailures
		sum.Unavailable += c.Unavailable
		sum.P50MS = max(sum.P50MS, c.P50MS)
		sum.P99MS = max(sum.P99MS, c.P99MS)
	}
	sum.BudgetSpent = budgetSpent(sum.AuthFailures, sum.Attempts, m.Limits.Objective)
	return sum
}

// budgetSpent is plan.Spent to three decimals; 0 where no objective is known.
func budgetSpent(failures, attempts int64, objective float64) float64 {
	if objective == 0 {
		return 0
	}
	return math.Round(1000*plan.Spent(objective, failures, attempts)) / 1000
}

// ValidatorChange is how long a validator took in both runs; nil: it was not in
// that run.
type ValidatorChange struct {
	Name    string         `json:"name"`
	Before  *ValidatorTime `json:"before,omitempty"`
	After   *ValidatorTime `json:"after,omitempty"`
	Learned Change         `json:"learned"`
	Forgot  Change         `json:"forgot"`
}

// ValidatorTime is how long a validator took to learn the new credential and to forget the old one, and
// its bounds, in milliseconds of page time, so that runs of different speeds compare. -1: not within
// the run; of a bound: none.
type ValidatorTime struct {
	LearnedMS     int64 `json:"learned_page_ms"`
	LearnBoundMS  int64 `json:"learn_bound_page_ms"`
	ForgotMS      int64 `json:"forgot_page_ms"`
	ForgetBoundMS int64 `json:"forget_bound_page_ms"`
}

// validatorChanges lists the validators of both runs by name.
func validatorChanges(before, after *Model) []ValidatorChange {
	find := func(m *Model, name string) *ValidatorTime {
		for _, v := range m.Validators {
			if v.Name == name {
				return &ValidatorTime{m.page(v.LearnedAfterMS), m.page(v.BoundMS), m.page(v.ForgotAfterMS), m.page(v.ForgetBoundMS)}
			}
		}
		return nil
	}
	changes := []ValidatorChange{}
	for _, m := range []*Model{after, before} {
		for _, v := range m.Validators {
			if slices.ContainsFunc(changes, func(c ValidatorChange) bool { return c.Name == v.Name }) {
				continue
			}
			c := ValidatorChange{Name: v.Name, Before: find(before, v.Name), After: find(after, v.Name), Learned: Differs, Forgot: Differs}
			if b, a := c.Before, c.After; b != nil && a != nil {
				c.Learned = inTime(b.LearnedMS, b.LearnBoundMS, a.LearnedMS, a.LearnBoundMS)
				c.Forgot = inTime(b.ForgotMS, b.ForgetBoundMS, a.ForgotMS, a.ForgetBoundMS)
			}
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b ValidatorChange) int { return cmp.Compare(a.Name, b.Name) })
	return changes
}

// page turns milliseconds of wall time into page time; -1 stays -1.
func (m *Model) page(ms int64) int64 {
	if ms < 0 {
		return -1
	}
	return pageTime(m.Speed, history.Milliseconds(ms)).Milliseconds()
}

// inTime compares whether something happened within its bound. What did not happen within a run may not
// have been due.
func inTime(before, beforeBound, after, afterBound int64) Change {
	if before < 0 && after < 0 {
		return Same
	}
	if before < 0 || after < 0 {
		return Differs
	}
	late, isLate := beforeBound >= 0 && before > beforeBound, afterBound >= 0 && after > afterBound
	switch {
	case isLate && !late:
		return Worse
	case late && !isLate:
		return Better
	}
	return Same
}
