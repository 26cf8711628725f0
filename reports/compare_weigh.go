package reports

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// weigh collects the regressions and improvements that Counted describes.
func (c *Comparison) weigh() {
	worse := func(format string, args ...any) { c.Regressions = append(c.Regressions, fmt.Sprintf(format, args...)) }
	better := func(format string, args ...any) {
		c.Improvements = append(c.Improvements, fmt.Sprintf(format, args...))
	}
	switch c.Verdict {
	case Worse:
		worse("verdict: %s", fromTo(c.Before.Verdict, c.After.Verdict))
	case Better:
		better("verdict: %s", fromTo(c.Before.Verdict, c.After.Verdict))
	}
	for _, r := range c.Rules {
		switch r.Change {
		case Worse:
			worse("rule %s: %s (%s)", r.ID, fromTo(r.Before, r.After), dash(r.Detail))
		case Better:
			better("rule %s: %s", r.ID, fromTo(r.Before, r.After))
		}
	}
	for _, f := range c.Findings {
		switch {
		case f.news():
			worse("new error %s: %s", f.After.RuleID, f.After.Message)
		case f.gone():
			better("no more error %s: %s", f.Before.RuleID, f.Before.Message)
		}
	}
	objective := max(c.Before.Objective, c.After.Objective)
	for _, p := range c.Pairs {
		weighShare(worse, better, p.AuthFailures, p.name()+": auth failures", objective,
			Share(p.Before.AuthFailures, p.Before.Attempts), Share(p.After.AuthFailures, p.After.Attempts))
		weighShare(worse, better, p.Unavailable, p.name()+": attempts without service", objective,
			Share(p.Before.Unavailable, p.Before.Attempts), Share(p.After.Unavailable, p.After.Attempts))
		if p.Before.Attempts > 0 && p.After.Attempts == 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: not exercised any more: whether it got better cannot be told", p.name()))
		}
	}
}

func weighShare(worse, better func(string, ...any), change Change, what string, objective float64, before, after string) {
	switch change {
	case Worse:
		worse("%s rose from %s to %s of attempts; the objective allows %.4g %%", what, cmp.Or(strings.Trim(before, "–"), "none"), after, 100*(1-objective))
	case Better:
		better("%s fell from %s to %s of attempts", what, before, after)
	}
}

// name is the client and the service.
func (p PairChange) name() string { return pair{p.Source, p.Presenter, p.Validator}.String() }

func fromTo(before, after judge.Outcome) string {
	return fmt.Sprintf("%s → %s", dash(string(before)), dash(string(after)))
}

// Headline is the answer in one line.
func (c *Comparison) Headline() string {
	got := func(n int, what string) string {
		if n == 1 {
			return "1 thing got " + what
		}
		return fmt.Sprintf("%d things got %s", n, what)
	}
	switch worse, better := len(c.Regressions), len(c.Improvements); {
	case worse > 0 && better > 0:
		return fmt.Sprintf("Regression: %s, %d better", got(worse, "worse"), better)
	case worse > 0:
		return "Regression: " + got(worse, "worse")
	case better > 0:
		return fmt.Sprintf("No regression: %s", got(better, "better"))
	}
	return "No regression: nothing that counts got worse or better"
}
