package judge

import (
	"fmt"
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
		at := first[p] + bucketWidth
		f := Finding{
			Level: Error, Presenter: p.presenter, Validator: p.validator, Consumer: p.validator, Cause: CauseServiceDown,
			CausedBy: e.lastStep(at), FirstPhase: e.phaseAt(at), FirstMS: first[p].Milliseconds(), LastMS: last[p].Milliseconds(), Count: sum.Unavailable,
			Fix: fmt.Sprintf("bring %s back before going on, and rotate only while every consumer answers", p.validator),
		}
		what := "nothing in the history says why"
		if c, there := e.crowded(p.presenter, first[p], last[p]); there {
			what = e.tellCrowded(&f, c)
		} else if kind, there := e.faultOn(p.validator, first[p]); there {
			f.CausedBy, what = kind, "it was under the fault "+kind
		} else if at, exited := e.view.Exited[p.validator]; exited {
			what = "it ended at " + at.String()
		}
		f.Message = fmt.Sprintf("%s got no answer from %s for %d of %d first attempts%s: %s", p.presenter, p.validator, sum.Unavailable, sum.Attempts, answered(sum), what)
		findings = append(findings, f)
	}
	return findings
}
