package judge

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// absent are the validators that gave emitters no answer beyond the
// objective, where nobody who calls such an emitter has felt it: one that takes
// what it is told and delivers it later.
func (e *evidence) absent(felt []Finding) []Finding {
	type pair struct{ presenter, validator string }
	sums, order := map[pair]*history.Counts{}, []pair{}
	first, last := map[pair]history.Offset{}, map[pair]history.Offset{}
	for _, key := range e.hop() {
		if _, emits := e.limits.Emitter(key.Presenter); !emits || key.Source == history.FromLoad {
			continue
		}
		p := pair{key.Presenter, key.Validator}
		if sums[p] == nil {
			sums[p], order = &history.Counts{}, append(order, p)
		}
		for _, b := range e.view.Buckets(key, e.start, e.end+1) {
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
	var findings []Finding
	for _, p := range order {
		sum := sums[p]
		told := slices.ContainsFunc(felt, func(f Finding) bool { return f.Validator == p.presenter })
		if told || plan.Within(e.limits.Objective, sum.Unavailable, sum.Attempts) {
			continue
		}
		findings = append(findings, e.tellUnanswered(&cell{
			evidence: e, symptom: absent, presenter: p.presenter, validator: plan.Validator{Name: p.validator}, sum: sum, first: first[p], last: last[p],
		}, "no answer", "every consumer answers"))
	}
	return findings
}
