package rules

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// availability holds when first attempts get an answer within the objective, wherever users call, with
// attempts throughout: a consumer that is down is not flat. A refusal is an answer; auth-failures-flat
// judges it. Where no user waits for what an emitter presents, its own attempts are first attempts.
func availability(e *judging) (judge.Outcome, string, []judge.Finding) {
	return e.once("availability", findAvailability)
}

func findAvailability(e *judging) (judge.Outcome, string, []judge.Finding) {
	var findings []judge.Finding
	var total, lost int64
	unsure := "" // what nobody can tell
	for _, c := range e.Limits.Clients {
		sum, _, _ := e.Lost(c.Name, c.To, e.Start, e.End+1)
		total, lost = total+sum.Attempts, lost+sum.Unavailable
		if plan.Within(e.Limits.Objective, sum.Unavailable, sum.Attempts) {
			continue
		}
		f, open := e.judgeMisses(c)
		unsure = cmp.Or(unsure, open)
		findings = append(findings, f)
	}
	for _, f := range e.absent(findings) {
		if isProbers(&f) {
			unsure = cmp.Or(unsure, f.Message)
		}
		findings, lost = append(findings, f), lost+f.Count
	}
	findings = append(findings, e.stalled(findings)...)
	switch {
	case judge.HasError(findings) && lost == 0:
		return judge.Fail, fmt.Sprintf("every first attempt got an answer, but from %s too late for the page", findings[0].Consumer), findings
	case judge.HasError(findings):
		return judge.Fail, fmt.Sprintf("%d of %d first attempts got no answer", lost, total), findings
	case unsure != "":
		return judge.Inconclusive, unsure, findings
	case len(e.Limits.Clients) == 0:
		return judge.Skipped, "no client", nil
	}
	for _, c := range e.Limits.Clients {
		if why := e.quiet(c); why != "" {
			return judge.Inconclusive, why, nil
		}
	}
	return judge.Pass, fmt.Sprintf("%d of %d first attempts got an answer", total-lost, total), nil
}

// judgeMisses tells of a client that lacked good answers beyond the objective, and how much that
// weighs. Where it lacked them before anything was changed, only the burst that stands out is the
// rotation's; open says what nobody can tell.
func (e *judging) judgeMisses(c plan.Client) (f judge.Finding, open string) {
	s := e.Misses(c.Name, c.To)
	usual, after := s.Before(), s.In(e.Changed(), e.End+1)
	tell := func(from, to history.Offset) judge.Finding {
		sum, first, last := e.Lost(c.Name, c.To, from, to)
		v, _ := e.Limits.Validator(c.To)
		v.Name = c.To
		return e.tellUnanswered(&cell.Cell{
			Evidence: e.Evidence, Symptom: cell.Unanswered, Presenter: c.Name, Validator: v, Sum: &sum, First: first, Last: last, Way: e.WayTo(v),
		}, "no good answer", "every party answers")
	}
	if !plan.Within(e.Limits.Objective, usual.Bad, usual.Of) && usual.Share() < evidence.MostNoise {
		if from, to, found := s.Burst(s.Usual, e.Changed()); found {
			f = tell(from, to)
			f.Message += fmt.Sprintf("; before anything was changed it was %s", usual)
			return f, ""
		}
		f = tell(e.Start, e.End+1)
		f.Level = judge.Warning
		return f, fmt.Sprintf("%s got no good answer from %s for %s first attempts before anything was changed, and for no more since: %s", c.Name, c.To, usual, after)
	}
	f = tell(e.Start, e.End+1)
	if isProbers(&f) {
		return f, f.Message
	}
	if enough, scattered := s.Scattered(); scattered && (f.Cause == judge.CauseFailing || f.Cause == judge.CauseTimedOut || f.Cause == judge.CauseReset) {
		f.Level = judge.Warning
		return f, evidence.CannotTell(c.Name, c.To, after, usual, enough)
	}
	return f, ""
}

// proberTurnedAway says that a service turned everybody away because of the rehearsal's own requests;
// "" where none did.
func (e *judging) proberTurnedAway() string {
	_, _, findings := availability(e)
	for _, f := range findings {
		if isProbers(&f) {
			return f.Message
		}
	}
	return ""
}

// isProbers reports whether the rehearsal's own requests caused the missing answers, which then fail
// nothing.
func isProbers(f *judge.Finding) bool {
	if f.Cause != judge.CauseLockedOut {
		return false
	}
	f.Level = judge.Warning
	return true
}

// tellUnanswered tells of a cell without answers: what it lacked, and what to wait for before the next
// rotation.
func (e *judging) tellUnanswered(c *cell.Cell, lacked, until string) judge.Finding {
	service, began := c.Validator.Name, c.First+evidence.BucketWidth
	f := judge.Finding{
		Level: judge.Error, Presenter: c.Presenter, Validator: service, Consumer: service, Cause: judge.CauseServiceDown,
		CausedBy: e.LastStep(began), FirstPhase: e.PhaseAt(began),
		FirstMS: c.First.Milliseconds(), LastMS: c.Last.Milliseconds(), Count: c.Sum.Unavailable,
	}
	if kind, ok := e.FaultOn(service, c.First); ok {
		f.CausedBy = kind
	}
	c.CausedBy = f.CausedBy
	told, found := cause.Detect(c)
	if !found {
		told = unanswered.ByStatus(c)
	}
	told.Apply(&f)
	if f.Fix == "" {
		f.Fix = fmt.Sprintf("bring %s back before going on, and rotate only while %s", f.Consumer, until)
	}
	f.Message = fmt.Sprintf("%s got %s from %s for %d of %d first attempts%s: %s",
		c.Presenter, lacked, service, c.Sum.Unavailable, c.Sum.Attempts, answered(c.Sum), told.Why+cause.ItsLog(c, found))
	return f
}

// answered lists the bad answers, or why there were none: " (502: 40, timeout: 13)"; "" where they
// cannot be told from others, as where a service refuses with a status of its own.
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
