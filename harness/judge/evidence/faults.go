package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// FaultReports follows each fault from its injection to its undoing.
func (e *Evidence) FaultReports() []judge.FaultReport {
	reports := []judge.FaultReport{}
	find := func(f *history.Fault) *judge.FaultReport {
		for i := range reports {
			if reports[i].Kind == f.Kind && reports[i].Target == f.Target && reports[i].UndoneMS < 0 {
				return &reports[i]
			}
		}
		reports = append(reports, judge.FaultReport{Kind: f.Kind, Target: f.Target, From: f.From, To: f.To, Evidence: map[string]float64{}, InjectedMS: -1, UndoneMS: -1})
		return &reports[len(reports)-1]
	}
	for _, event := range e.Events {
		if event.Kind != history.KindFault {
			continue
		}
		r := find(event.Fault)
		r.By = event.Fault.By
		for name, figure := range event.Fault.Evidence {
			r.Evidence[name] = figure
		}
		switch event.Fault.Stage {
		case history.FaultInjected:
			r.InjectedMS = event.At.Milliseconds()
		case history.FaultEvidence:
			r.Took = r.Took || event.Fault.Took
		case history.FaultUndone:
			r.UndoneMS = event.At.Milliseconds()
		case history.FaultFailed:
			r.Detail = event.Fault.Detail
		}
	}
	return reports
}

// FaultOn is the kind of the fault that ReportOn finds.
func (e *Evidence) FaultOn(service string, began history.Offset) (string, bool) {
	r, ok := e.ReportOn(service, began)
	return r.Kind, ok
}

// ReportOn is a fault that was in effect on a service when something began there, within the precision
// of counts and logs. A fault that ended its service is never undone and stays in effect.
func (e *Evidence) ReportOn(service string, began history.Offset) (judge.FaultReport, bool) {
	soon := Nearly.Milliseconds()
	exited, ended := e.View.Exited[service]
	for _, r := range e.FaultReports() {
		if r.Target != service || r.InjectedMS < 0 || r.InjectedMS > began.Milliseconds()+soon {
			continue
		}
		stays := ended && max(r.InjectedMS-exited.Milliseconds(), exited.Milliseconds()-r.InjectedMS) <= soon
		if stays || r.UndoneMS < 0 || r.UndoneMS >= began.Milliseconds() {
			return r, true
		}
	}
	return judge.FaultReport{}, false
}

// FaultBetween is a fault that left evidence and was in effect between two parties when something began
// there.
func (e *Evidence) FaultBetween(from, to string, began history.Offset) (judge.FaultReport, bool) {
	for _, r := range e.FaultReports() {
		if r.Took && r.From == from && r.To == to && r.InEffect(began, began+Nearly) {
			return r, true
		}
	}
	return judge.FaultReport{}, false
}

// OrTheWay is the party that left another without an answer or, where a fault was in effect between
// them, the way: neither of them is to blame then.
func (e *Evidence) OrTheWay(from, to string, at history.Offset) string {
	if r, ok := e.FaultBetween(from, to, at); ok {
		return r.Target
	}
	return to
}

// Disturbing are the faults that may have to do with a refusal: at the validator, at the source of its
// keys, and on the way between, from the accept of the refused credential on.
func (e *Evidence) Disturbing(key history.CellKey, v plan.Validator, sum *history.Counts) []judge.FaultReport {
	accepted, _ := e.Done(keyring.Accept, key.Credential)
	return e.Near(accepted, sum.LastFailure, v.Name, v.From, v.Via, e.EmitterOf(key.Presenter))
}

// Near are the faults that left evidence and were in effect between two moments, at one of the parties,
// on its way to another of them, or on its way to the store.
func (e *Evidence) Near(from, to history.Offset, parties ...string) []judge.FaultReport {
	party := func(name string) bool { return name != "" && slices.Contains(parties, name) }
	return slices.DeleteFunc(e.FaultReports(), func(r judge.FaultReport) bool {
		place := party(r.Target) || party(r.From) && (party(r.To) || r.To == history.Store)
		return !r.Took || !place || !r.InEffect(from, to)
	})
}

// MendWhatKept is the cure where a fault kept a party from something after a moment.
func (e *Evidence) MendWhatKept(party, what string, since history.Offset) (mend string, kept bool) {
	faults := e.Near(since, e.End, party)
	if len(faults) == 0 {
		return "", false
	}
	return fmt.Sprintf("mend what kept %s from %s (here the fault %s on %s)", party, what, faults[0].Kind, faults[0].Target), true
}

// Cite tells of faults, each with its place and its time.
func (e *Evidence) Cite(faults []judge.FaultReport) string {
	var told strings.Builder
	for _, r := range faults {
		fmt.Fprintf(&told, "; the fault %s on %s was in effect from %s", r.Kind, r.Target, e.Moment(history.Milliseconds(r.InjectedMS)))
		if r.UndoneMS >= 0 {
			fmt.Fprintf(&told, " until %s", e.Moment(history.Milliseconds(r.UndoneMS)))
		}
	}
	return told.String()
}

// Moment writes an offset, in whole milliseconds as findings have it, as page time since the baseline began or, at
// speed 1, since the run did: as reports tell all moments.
func (e *Evidence) Moment(at history.Offset) string {
	at = history.Offset(at.Duration().Truncate(time.Millisecond))
	if e.Limits.Page(time.Second) == time.Second {
		return e.Page(at)
	}
	return e.Page(max(at-e.Start, 0))
}

// Stopping are the faults that stop a service altogether.
var Stopping = []string{"kill", "pause", "restart"}
