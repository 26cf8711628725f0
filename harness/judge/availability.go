package judge

import (
	"cmp"
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
	unsure := "" // what nobody can tell
	for _, c := range e.limits.Clients {
		sum, _, _ := e.lost(c.Name, c.To, e.start, e.end+1)
		total, lost = total+sum.Attempts, lost+sum.Unavailable
		if plan.Within(e.limits.Objective, sum.Unavailable, sum.Attempts) {
			continue
		}
		f, open := e.judgeMisses(c)
		unsure = cmp.Or(unsure, open)
		findings = append(findings, f)
	}
	for _, f := range e.absent(findings) {
		findings, lost = append(findings, f), lost+f.Count
	}
	findings = append(findings, e.stalled(findings)...)
	switch {
	case hasError(findings) && lost == 0:
		return Fail, fmt.Sprintf("every first attempt got an answer, and %s too late for the page", findings[0].Consumer), findings
	case hasError(findings):
		return Fail, fmt.Sprintf("%d of %d first attempts got no answer", lost, total), findings
	case unsure != "":
		return Inconclusive, unsure, findings
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

// judgeMisses tells of a client that got no good answer beyond the objective, and
// how much that weighs. Where it was so before anything was changed, only the burst
// that stands out from it is the rotation's; open says what nobody can tell.
func (e *evidence) judgeMisses(c plan.Client) (f Finding, open string) {
	s := e.misses(c.Name, c.To)
	usual, after := s.before(), s.in(e.changed(), e.end+1)
	tell := func(from, to history.Offset) Finding {
		sum, first, last := e.lost(c.Name, c.To, from, to)
		v, _ := e.limits.Validator(c.To)
		v.Name = c.To
		return e.tellUnanswered(&cell{
			evidence: e, symptom: unanswered, presenter: c.Name, validator: v, sum: &sum, first: first, last: last, way: e.wayTo(v),
		}, "no good answer", "every party answers")
	}
	if !plan.Within(e.limits.Objective, usual.bad, usual.of) && usual.share() < mostNoise {
		if from, to, found := s.burst(s.usual, e.changed()); found {
			f = tell(from, to)
			f.Message += fmt.Sprintf("; before anything was changed it was %s", usual)
			return f, ""
		}
		f = tell(e.start, e.end+1)
		f.Level = Warning
		return f, fmt.Sprintf("%s got no good answer from %s for %s first attempts before anything was changed, and for no more since: %s", c.Name, c.To, usual, after)
	}
	f = tell(e.start, e.end+1)
	if enough, scattered := s.scattered(); scattered && (f.Cause == CauseFailing || f.Cause == CauseTimedOut || f.Cause == CauseReset) {
		f.Level = Warning
		return f, cannotTell(c.Name, c.To, after, usual, enough)
	}
	return f, ""
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
		told = c.byStatus()
	}
	told.apply(&f)
	if f.Fix == "" {
		f.Fix = fmt.Sprintf("bring %s back before going on, and rotate only while %s", f.Consumer, until)
	}
	f.Message = fmt.Sprintf("%s got %s from %s for %d of %d first attempts%s: %s",
		c.presenter, lacked, service, c.sum.Unavailable, c.sum.Attempts, answered(c.sum), told.why+c.itsLog(found))
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

// lost adds up what a client felt at the service that it calls in [from, until),
// and when it first and last got no answer.
func (e *evidence) lost(client, to string, from, until history.Offset) (sum history.Counts, first, last history.Offset) {
	for _, key := range e.view.Keys() {
		if key.Source != history.FromLoad || key.Presenter != client || key.Validator != to {
			continue
		}
		c := e.view.Sum(key, from, until)
		sum.Add(&c)
		for _, b := range e.view.Buckets(key, from, until) {
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
