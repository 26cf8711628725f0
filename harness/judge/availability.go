package judge

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// bucketWidth is how exactly counts tell when something became unavailable.
const bucketWidth = history.Offset(100 * time.Millisecond)

// availability holds when first attempts get an answer within the objective,
// wherever users call, with attempts throughout: a consumer that is down is not
// flat. A refusal is an answer; it is judged by auth-failures-flat. Where no
// user waits for what an emitter presents, its own attempts are first attempts.
func availability(e *evidence) (Outcome, string, []Finding) {
	var findings []Finding
	var total, lost int64
	for _, c := range e.limits.Clients {
		sum, first, last := e.lost(c.Name, c.To)
		total, lost = total+sum.Attempts, lost+sum.Unavailable
		if plan.Within(e.limits.Objective, sum.Unavailable, sum.Attempts) {
			continue
		}
		findings = append(findings, e.tellUnanswered(&cell{
			evidence: e, symptom: unanswered, presenter: c.Name, validator: plan.Validator{Name: c.To}, sum: &sum, first: first, last: last,
		}, "no good answer", "every party answers"))
	}
	for _, f := range e.absent(findings) {
		findings, lost = append(findings, f), lost+f.Count
	}
	switch {
	case len(findings) > 0:
		return Fail, fmt.Sprintf("%d of %d first attempts got no answer", lost, total), findings
	case len(e.limits.Clients) == 0:
		return Skipped, "no client", nil
	}
	for _, c := range e.limits.Clients {
		if why := e.quiet(c); why != "" {
			return Inconclusive, why, nil
		}
	}
	return Pass, fmt.Sprintf("%d of %d first attempts got an answer", total-lost, total), nil
}

// tellUnanswered tells of a cell that had no answer, in words of what it lacked and
// of what to wait for before the next rotation.
func (e *evidence) tellUnanswered(c *cell, lacked, until string) Finding {
	service, began := c.validator.Name, c.first+bucketWidth
	f := Finding{
		Level: Error, Presenter: c.presenter, Validator: service, Consumer: service, Cause: CauseServiceDown,
		CausedBy: e.lastStep(began), FirstPhase: e.phaseAt(began),
		FirstMS: c.first.Milliseconds(), LastMS: c.last.Milliseconds(), Count: c.sum.Unavailable,
	}
	if kind, there := e.faultOn(service, c.first); there {
		f.CausedBy = kind
	}
	c.causedBy = f.CausedBy
	told, found := c.detect()
	if !found {
		told.why = "nothing in the history says why"
	}
	told.apply(&f)
	if f.Fix == "" {
		f.Fix = fmt.Sprintf("bring %s back before going on, and rotate only while %s", f.Consumer, until)
	}
	f.Message = fmt.Sprintf("%s got %s from %s for %d of %d first attempts%s: %s",
		c.presenter, lacked, service, c.sum.Unavailable, c.sum.Attempts, answered(c.sum), told.why)
	return f
}

// answered tells what was answered, or why there was no answer, where that is not
// good: " (502: 40, timeout: 13)"; "" where it cannot be told from what else was
// answered, as where a service refuses with a status of its own.
func answered(sum *history.Counts) string {
	var told []string
	var n int64
	for _, status := range slices.Sorted(maps.Keys(sum.Statuses)) {
		code, err := strconv.Atoi(status)
		if err == nil && (code < http.StatusBadRequest || code == http.StatusUnauthorized || code == http.StatusForbidden) {
			continue
		}
		told, n = append(told, fmt.Sprintf("%s: %d", status, sum.Statuses[status])), n+sum.Statuses[status]
	}
	if n != sum.Unavailable {
		return ""
	}
	return " (" + strings.Join(told, ", ") + ")"
}

// lost adds up what a client felt at the service that it calls, and when it
// first and last got no answer.
func (e *evidence) lost(client, to string) (sum history.Counts, first, last history.Offset) {
	for _, key := range e.view.Keys() {
		if key.Source != history.FromLoad || key.Presenter != client || key.Validator != to {
			continue
		}
		c := e.view.Sum(key, e.start, e.end+1)
		sum.Add(&c)
		for _, b := range e.view.Buckets(key, e.start, e.end+1) {
			if b.Unavailable == 0 {
				continue
			}
			if first == 0 || b.At < first {
				first = b.At
			}
			last = max(last, b.At+b.Width)
		}
	}
	return sum, first, last
}
