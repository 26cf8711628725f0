package rules

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// absent are the validators that failed to answer emitters beyond the objective where no caller felt
// it, because the emitter queues and delivers later.
func (e *judging) absent(felt []judge.Finding) []judge.Finding {
	type pair struct{ presenter, validator string }
	sums, order := map[pair]*history.Counts{}, []pair{}
	first, last := map[pair]history.Offset{}, map[pair]history.Offset{}
	for _, key := range e.JudgedCells() {
		if _, emits := e.Limits.Emitter(key.Presenter); !emits || key.Source == history.FromLoad {
			continue
		}
		p := pair{key.Presenter, key.Validator}
		if sums[p] == nil {
			sums[p], order = &history.Counts{}, append(order, p)
		}
		for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
			sums[p].Add(b.Counts)
			if b.Unavailable == 0 {
				continue
			}
			if first[p] == 0 || b.At < first[p] {
				first[p] = b.At
			}
			last[p] = max(last[p], b.At+b.Width)
		}
	}
	var findings []judge.Finding
	for _, p := range order {
		sum := sums[p]
		told := slices.ContainsFunc(felt, func(f judge.Finding) bool { return f.Validator == p.presenter })
		if told || plan.Within(e.Limits.Objective, sum.Unavailable, sum.Attempts) || e.closedHalfWay(p.presenter, p.validator, sum, first[p], last[p]) {
			continue
		}
		findings = append(findings, e.tellUnanswered(&cell.Cell{
			Evidence: e.Evidence, Symptom: cell.Absent, Presenter: p.presenter, Validator: plan.Validator{Name: p.validator}, Sum: sum, First: first[p], Last: last[p],
		}, "no answer", "every consumer answers"))
	}
	return findings
}

// closedHalfWay reports whether what lacked an answer are logins whose connections were closed just when their
// authority ended at least as many sessions of the same presenter. What ends sessions, as a revoke and the proof
// after it do, closes those too that are just being made, which the pool makes again.
func (e *judging) closedHalfWay(presenter, authority string, sum *history.Counts, first, last history.Offset) bool {
	var ended int64
	for _, event := range e.SessionsEnded(presenter, last-evidence.Nearly, first+evidence.Nearly) {
		if event.Service == authority {
			ended++
		}
	}
	return sum.Unavailable <= ended && sum.Statuses[history.StatusUnavailable] >= sum.Unavailable
}
