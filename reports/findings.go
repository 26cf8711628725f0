package reports

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// Fact is one figure of a finding with its name.
type Fact struct{ Name, Value string }

// Facts are the parts of a finding in words: who, since when, how often, why; missing parts are left
// out. Moments are told by the run's clock.
func Facts(f judge.Finding, clock Clock) []Fact {
	var facts []Fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{name, value})
		}
	}
	add("who", who(f))
	if f.FirstMS > 0 || f.LastMS > 0 {
		first, last := history.Milliseconds(f.FirstMS), history.Milliseconds(f.LastMS)
		when := "at " + clock.Moment(first)
		if last > first {
			when = fmt.Sprintf("from %s until %s", clock.Moment(first), clock.Moment(last))
		}
		if last > first && first >= clock.Zero {
			when += ", for " + PageAndWall(clock.Speed, (last-first).Duration())
		}
		if f.FirstPhase != "" {
			when += ", first in " + f.FirstPhase
		}
		add("when", when)
	} else {
		add("first in", f.FirstPhase)
	}
	if f.Count > 1 { // once is what the message tells, or all that there can be, as of a gate
		add("count", Count(f.Count))
	}
	if f.BudgetSpent > 0 {
		add("error budget spent", timesOf(f.BudgetSpent))
	}
	cause := f.CausedBy
	if f.Cause != "" {
		cause = strings.TrimPrefix(cause+", "+string(f.Cause), ", ")
	}
	add("caused by", cause)
	add("look at", f.Consumer)
	return facts
}

// who names the cell of a finding, if it is about a party.
func who(f judge.Finding) string {
	if f.Presenter == "" && f.Validator == "" {
		return ""
	}
	s := f.Presenter
	if f.Validator != "" {
		s = strings.TrimPrefix(s+" → "+f.Validator, " → ")
	}
	if f.Credential != "" {
		s = strings.TrimSpace(s + " with " + f.Credential)
	}
	return s
}

// ByWeight is the findings with errors first and notes last, otherwise in
// their order. The argument is not changed.
func ByWeight(findings []judge.Finding) []judge.Finding {
	weight := map[judge.Level]int{judge.Error: 0, judge.Warning: 1, judge.Note: 2}
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b judge.Finding) int { return weight[a.Level] - weight[b.Level] })
	return sorted
}

// Repeats reports whether a warning asks for the same as an error before it: the same least duration,
// for the same credential at the same validator, as a gate and a bound do beside the failure that they
// foresaw. Reports then shorten it to one sentence; result.json and junit.xml have it whole.
func Repeats(f judge.Finding, before []judge.Finding) bool {
	asked := least(f)
	return asked != "" && f.Level == judge.Warning && slices.ContainsFunc(before, func(b judge.Finding) bool {
		return b.Level == judge.Error && b.Validator == f.Validator && b.Credential == f.Credential && least(b) == asked
	})
}

var leastDuration = regexp.MustCompile(`\bat least (\d[\dhms.]*)`)

// least is the first duration in a finding's cure, if any.
func least(f judge.Finding) string {
	if found := leastDuration.FindStringSubmatch(f.Fix); found != nil {
		return found[1]
	}
	return ""
}

// timesOf is a multiple with three significant digits at least, and no exponent.
func timesOf(f float64) string {
	if f >= 1000 {
		return Count(int64(math.Round(f))) + " times"
	}
	return fmt.Sprintf("%.3g times", f)
}
