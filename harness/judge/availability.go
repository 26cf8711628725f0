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
	"github.com/rehearse-dev/rehearse/harness/runbook"
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
		f := Finding{
			Level: Error, Presenter: c.Name, Validator: c.To, Consumer: c.To, Cause: CauseServiceDown,
			CausedBy: e.lastStep(first + bucketWidth), FirstPhase: e.phaseAt(first + bucketWidth),
			FirstMS: first.Milliseconds(), LastMS: last.Milliseconds(), Count: sum.Unavailable,
		}
		what := e.tellUnavailable(&f, c.To, first, last)
		f.Message = fmt.Sprintf("%s got no good answer from %s for %d of %d first attempts%s: %s", c.Name, c.To, sum.Unavailable, sum.Attempts, answered(&sum), what)
		findings = append(findings, f)
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

// tellUnavailable says why a service that is called gave no good answer in a
// stretch of time, and puts into the finding who is to be looked at. What
// happened to the credential that the service presents itself comes first; then
// who did not answer: the service, or the one behind it.
func (e *evidence) tellUnavailable(f *Finding, service string, first, last history.Offset) (what string) {
	disturbed, there := e.faultOn(service, first)
	if there {
		f.CausedBy = disturbed
	}
	if authority, there := e.behind(service, first, last, func(c history.Counts) int64 { return c.AuthFailures }); there {
		f.Cause = CauseRefusedBehind
		f.Fix = fmt.Sprintf("mend what is said of %s at %s: its callers feel no more than that", service, authority)
		return authority + " refused the credential that it presented"
	}
	if crowding, there := e.crowded(service, first, last); there {
		return e.tellCrowded(f, crowding)
	}
	if authority, n := e.cutOff(service, first, last); n > 0 {
		return e.tellCutOff(f, authority, n)
	}
	what = e.tellDown(f, service, disturbed, first)
	// One that was stopped itself has no answer from anybody.
	authority, behind := e.behind(service, first, last, func(c history.Counts) int64 { return c.Unavailable })
	if behind && !slices.Contains(stopping, disturbed) {
		f.Fix, f.Consumer, what = "", authority, authority+", to which it presents the credential, gave no answer"
		if kind, there := e.faultOn(authority, first); there {
			f.CausedBy, what = kind, what+": it was under the fault "+kind
		} else if kind, there := e.faultBetween(service, authority, first); there {
			f.CausedBy, what = kind, what+": the way there was under the fault "+kind
		}
	}
	if f.Fix == "" {
		f.Fix = fmt.Sprintf("bring %s back before going on, and rotate only while every party answers", f.Consumer)
	}
	return what
}

// stopping are the faults under which a service does nothing at all.
var stopping = []string{"kill", "pause", "restart"}

// tellDown says what became of a service itself that gave no answer, and was
// under a fault or not.
func (e *evidence) tellDown(f *Finding, service, fault string, first history.Offset) (what string) {
	if fault != "" {
		return "it was under the fault " + fault
	}
	if at, exited := e.view.Exited[service]; exited {
		return "it ended at " + at.String()
	}
	if how, at := e.renewed(service, first); how != "" {
		f.Fix = fmt.Sprintf("let %s finish what it has begun before it ends, and start the new one before the old one ends", service)
		return fmt.Sprintf("it was %s for what was published, which was done at %s", how, at)
	}
	return "nothing in the history says why"
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

// replacing bounds how long it takes to end the old one of a service after the
// new one answers: it is recorded when that is done.
const replacing = history.Offset(5 * time.Second)

// renewed is how, and when, a service had been made to take what is published,
// where something that began at a moment may have come of that; how is empty
// where it was not.
func (e *evidence) renewed(service string, began history.Offset) (how string, at history.Offset) {
	for _, event := range e.events {
		if event.Kind != history.KindDelivered || event.Service != service ||
			event.At < began-history.Offset(nearly) || event.At > began+replacing {
			continue
		}
		switch event.What {
		case runbook.Env:
			return "started anew", event.At
		case history.Reload:
			return "made to reload", event.At
		}
	}
	return "", 0
}

// behind is the authority at which a service itself fared badly in a stretch of
// time, by what is counted of its presentations there.
func (e *evidence) behind(service string, from, to history.Offset, badly func(history.Counts) int64) (authority string, there bool) {
	for _, key := range e.hop() {
		if key.Presenter == service && key.Validator != service &&
			badly(e.view.Sum(key, from-history.Offset(nearly), to+history.Offset(nearly))) > 0 {
			return key.Validator, true
		}
	}
	return "", false
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
