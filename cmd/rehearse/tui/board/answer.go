package board

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

// Level is how good an answer is.
type Level int

// The levels.
const (
	Unknown Level = iota
	Good
	Warned
	Bad
)

// Answer is what somebody wants to know who looks for a second: is it flat, and
// who is failing.
type Answer struct {
	Level Level
	Word  string // "FLAT SO FAR"
	Text  string // the rest, in a sentence
}

// Answer is the answer at this moment. It is not the verdict, which is the
// judge's, until there is one.
func (s *State) Answer() Answer {
	if v := s.verdict; v != nil {
		level := map[judge.Outcome]Level{judge.Pass: Good, judge.Fail: Bad}[v.Verdict]
		if level == Unknown {
			level = Warned
		}
		word, rest, _ := strings.Cut(reports.Headline(*v), ": ")
		return Answer{level, strings.ToUpper(word), rest}
	}
	var attempts, failures int64
	var failing, down, failed, gone *Row // the first of each
	for _, r := range s.Rows() {
		now := s.RowNow(r)
		if s.Judged(r) {
			attempts += r.Attempts
			failures += r.AuthFailures
			if failing == nil && now.AuthFailures > 0 {
				failing = r
			}
			if failed == nil && r.AuthFailures > 0 {
				failed = r
			}
		}
		if down == nil && (now.Silent || now.Unavailable > 0 && 2*now.Unavailable >= now.Attempts) {
			down = r
		}
		if gone == nil && r.Gone != (history.Gap{}) {
			gone = r
		}
	}
	switch {
	case failing != nil:
		return s.failing(failing)
	case down != nil:
		return Answer{Bad, "NO SERVICE", fmt.Sprintf("%s gives %s no answer%s", down.Validator, down.Presenter, s.flatSoFar(failures, attempts))}
	case failed != nil:
		return s.failed(failed)
	case gone != nil:
		return s.gone(gone, attempts)
	case attempts > 0:
		return Answer{Good, "FLAT SO FAR", fmt.Sprintf("0 of %s attempts refused", reports.Count(attempts))}
	case s.view.Phase == "":
		return Answer{Unknown, "STARTING", s.status}
	}
	return Answer{Unknown, "NO ATTEMPTS YET", "nothing can be told"}
}

func (s *State) flatSoFar(failures, attempts int64) string {
	if failures == 0 {
		return ""
	}
	return fmt.Sprintf("; %s of %s attempts were refused", reports.Count(failures), reports.Count(attempts))
}

// failing is the answer while a pair is refused.
func (s *State) failing(r *Row) Answer {
	now := s.RowNow(r)
	a := Answer{Bad, "NOT FLAT", fmt.Sprintf("%s refuses %s%s: %s now, %s since %s (%s)%s", r.Validator, r.Presenter, with(now.Failed),
		reports.Share(now.AuthFailures, now.Attempts), reports.Count(r.AuthFailures), Moment(r.First), s.in(r), ofEach(now))}
	return s.others(s.weigh(a, r), func(n Figures) bool { return n.AuthFailures > 0 })
}

// failed is the answer when what was refused is taken again.
func (s *State) failed(r *Row) Answer {
	failed := map[string]int64{}
	for name, use := range r.Used {
		failed[name] = use.AuthFailures
	}
	a := Answer{Bad, "NOT FLAT", fmt.Sprintf("%s refused %s%s %s times, %s–%s (%s); served again", r.Validator, r.Presenter, with(failed),
		reports.Count(r.AuthFailures), Moment(r.First), Moment(r.Last), s.in(r))}
	return s.others(s.weigh(a, r), func(Figures) bool { return true })
}

// gone is the answer when who had given no answer gives answers again: what was not
// served was not flat either.
func (s *State) gone(r *Row, attempts int64) Answer {
	a := Answer{Bad, "WAS DOWN", fmt.Sprintf("%s gave %s no answer %s, %s–%s (%s); served again, 0 of %s attempts refused", r.Validator, r.Presenter,
		plan.Counted(r.Unavailable, "time"), Moment(r.Gone.From), Moment(r.Gone.To), r.GoneIn, reports.Count(attempts))}
	if r.Unavailable == 0 {
		a.Text = fmt.Sprintf("nothing of %s at %s came to an end, %s–%s (%s); served again, 0 of %s attempts refused", r.Presenter, r.Validator,
			Moment(r.Gone.From), Moment(r.Gone.To), r.GoneIn, reports.Count(attempts))
	} else if plan.Within(s.run.Limits.Objective, r.Unavailable, r.Attempts) {
		a.Level, a.Word = Warned, "GAPS"
	}
	return a
}

// weigh says less where what was refused is inside the objective.
func (s *State) weigh(a Answer, r *Row) Answer {
	if s.Budget(r) <= 1 && s.run.Limits.Objective < 1 {
		a.Level, a.Word = Warned, "REFUSALS"
	}
	return a
}

// others adds how many more pairs are refused.
func (s *State) others(a Answer, also func(Figures) bool) Answer {
	n := -1
	for _, r := range s.Rows() {
		if s.Judged(r) && r.AuthFailures > 0 && also(s.RowNow(r)) {
			n++
		}
	}
	if n > 0 {
		a.Text += fmt.Sprintf("; and %d more", n)
	}
	return a
}

func (s *State) in(r *Row) history.Phase {
	if r.InPhase == "" {
		return "the start"
	}
	return r.InPhase
}

// ofEach says which share of a credential is refused, where that is another than
// that of all attempts.
func ofEach(now Figures) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(now.Failed)) {
		if n := now.Failed[name]; name != "" && n > 0 && now.Shares[name] != now.Attempts {
			text += fmt.Sprintf("; %s of %s", reports.Share(n, now.Shares[name]), name)
		}
	}
	return text
}

// with names the credentials that were refused.
func with(failed map[string]int64) string {
	var names []string
	for name, n := range failed {
		if n > 0 && name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " with " + strings.Join(names, ", ")
}

// Moment is an offset as minutes and seconds: "01:07".
func Moment(at history.Offset) string {
	seconds := int64(at.Duration().Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
