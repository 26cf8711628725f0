package judge

import (
	"cmp"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// evidence is a history, sorted into what the rules ask for.
type evidence struct {
	limits plan.Limits
	events []history.Event
	view   *history.View
	phases []PhaseSpan
	// old and fresh are the names of the two credentials, in the order in which
	// they were made; empty where there was none.
	old, fresh string
	start, end history.Offset // of the phases
	ended      string         // a history.Ended constant; empty: the rotation has no end
	gates      []history.Gate
	decisions  []history.Event
	leaks      history.Leaks
	ledger     *history.Ledger   // nil: nobody keeps one
	agreement  history.Agreement // the last one
	totals     history.Totals
	counters   []history.Counter // of validators that are not the run's own
	has        map[history.Kind]bool
	others     map[string]history.Offset // credentials that another rotation made, and when
	disorder   string                    // what is out of order in the history; empty: nothing
	flatness   *flatness                 // what the rule flat has found; nil: it was not asked yet
	clockSet   *history.Event            // the first time before the end that the machine's clock was set; nil: it never was
}

// gather sorts a history.
func gather(h *history.History, l plan.Limits) *evidence {
	h = untilTheEnd(&history.History{Events: h.Named()})
	e := &evidence{
		limits: l, events: h.Events, view: history.ViewOf(h), phases: []PhaseSpan{}, gates: []history.Gate{},
		has: map[history.Kind]bool{}, others: map[string]history.Offset{},
	}
	for _, event := range h.Events {
		e.has[event.Kind] = true
		switch event.Kind {
		case history.KindPhase:
			e.closePhase(event.At)
			e.phases = append(e.phases, PhaseSpan{Name: event.Phase, StartMS: event.At.Milliseconds(), EndMS: event.At.Milliseconds()})
			if len(e.phases) == 1 {
				e.start = event.At
			}
		case history.KindCredential:
			if e.old == "" {
				e.old = event.Credential
			} else if e.fresh == "" {
				e.fresh = event.Credential
			} else {
				e.others[event.Credential] = event.At
			}
		case history.KindGate:
			e.gates = append(e.gates, *event.Gate)
		case history.KindClockSet:
			if e.clockSet == nil && e.ended == "" {
				e.clockSet = &event
			}
		case history.KindDecision:
			e.decisions = append(e.decisions, event)
		case history.KindAgreement:
			e.agreement = *event.Agreement
		case history.KindLeaks:
			e.leaks = *event.Leaks
		case history.KindLedger:
			e.ledger = event.Ledger
		case history.KindTotals:
			e.totals, e.counters = *event.Totals, event.Counters
		case history.KindEnd:
			e.ended, e.end = event.Detail, event.At
			e.closePhase(event.At)
		}
	}
	if e.end == 0 {
		e.end = e.view.Now
		e.closePhase(e.end)
	}
	e.disorder = disorder(h, e)
	return e
}

// untilTheEnd is a history without what its parties did after the rotation had
// ended: services are stopped then, and sessions end with them, which explains
// nothing of what was before.
func untilTheEnd(h *history.History) *history.History {
	i := slices.IndexFunc(h.Events, func(event history.Event) bool { return event.Kind == history.KindEnd })
	if i < 0 {
		return h
	}
	end := h.Events[i].At
	return &history.History{Events: slices.DeleteFunc(slices.Clone(h.Events), func(event history.Event) bool {
		return event.At > end && slices.Contains(ofParties, event.Kind)
	})}
}

// ofParties are the kinds of what the parties themselves do.
var ofParties = []history.Kind{
	history.KindExit, history.KindFetched, history.KindFetchFailed, history.KindLearned, history.KindForgot, history.KindLoaded,
	history.KindPublished, history.KindEmitting, history.KindEnded, history.KindDenied, history.KindLived, history.KindLooked, history.KindLocked, history.KindUnlocked, history.KindRead, history.KindSession,
}

func (e *evidence) closePhase(at history.Offset) {
	if n := len(e.phases); n > 0 {
		e.phases[n-1].EndMS = at.Milliseconds()
	}
}

// disorder says what cannot be so in a history that was recorded as it
// happened. Lines from services' logs may arrive a little late; phases, and the
// buckets of one cell, come in order.
func disorder(h *history.History, e *evidence) string {
	if len(h.Events) == 0 || h.Events[0].Kind != history.KindPlan {
		return "it does not begin with the plan"
	}
	order := append(history.Phases(), history.Rollback)
	last := -1
	var at history.Offset
	for _, event := range h.Events {
		switch event.Kind {
		case history.KindPhase:
			i := slices.Index(order, event.Phase)
			if i <= last || event.At < at {
				return "phase " + string(event.Phase) + " comes too late"
			}
			last, at = i, event.At
		case history.KindEnd:
			if event.At < at {
				return "it ends before its last phase"
			}
		}
	}
	for _, key := range e.view.Keys() {
		if !slices.IsSortedFunc(e.view.Cells[key], func(a, b history.Bucket) int { return cmp.Compare(a.At, b.At) }) {
			return "counts of " + key.Presenter + " at " + key.Validator + " are out of order"
		}
	}
	return ""
}

// done is when a step of a credential was first done; false: it never was.
func (e *evidence) done(step, credential string) (history.Offset, bool) {
	for _, event := range e.events {
		if event.Kind == history.KindStep && event.Step == step && event.Credential == credential && event.Detail == "" {
			return event.At, true
		}
	}
	return 0, false
}

// lastStep is the last step that was begun before a moment: what a failure
// that begins then began with. Steps outside of the phases made the state that
// the rotation starts from.
func (e *evidence) lastStep(before history.Offset) string {
	step := "baseline"
	for _, event := range e.events {
		if event.Kind == history.KindStep && event.Detail == "" && began(event) <= before && event.Phase != "" {
			step = event.Step
		}
	}
	return step
}

// begun is when a step of a credential was begun that was done; false: it never was.
func (e *evidence) begun(step, credential string) (history.Offset, bool) {
	for _, event := range e.events {
		if event.Kind == history.KindStep && event.Step == step && event.Credential == credential && event.Detail == "" {
			return began(event), true
		}
	}
	return 0, false
}

// began is when a step was begun; a history need not say it.
func began(step history.Event) history.Offset {
	if step.Began == 0 {
		return step.At
	}
	return step.Began
}

// phaseAt is the phase in which a moment lies.
func (e *evidence) phaseAt(at history.Offset) string {
	name := ""
	for _, p := range e.phases {
		if at.Milliseconds() >= p.StartMS {
			name = string(p.Name)
		}
	}
	return name
}

// span is when a phase ran.
func (p PhaseSpan) span() (history.Offset, history.Offset) {
	return history.Offset(time.Duration(p.StartMS) * time.Millisecond), history.Offset(time.Duration(p.EndMS) * time.Millisecond)
}

// learned is when a validator first took a credential after a moment.
func (e *evidence) learned(validator, credential string, after history.Offset) (history.Offset, bool) {
	for _, event := range e.events {
		if event.Kind == history.KindLearned && event.Service == validator && event.Credential == credential && event.At >= after {
			return event.At, true
		}
	}
	return 0, false
}

// tookAfterAll is when a validator of which nothing is seen but its answers last refused
// the new credential: all who presented it until then, and none of enough since.
func (e *evidence) tookAfterAll(validator string) (at history.Offset, did bool) {
	if e.hasFetches(validator) || len(e.view.Learned[validator]) > 0 {
		return 0, false
	}
	var cells []history.CellKey
	var first history.Offset
	for _, key := range e.hop() {
		if key.Validator != validator || key.Credential != e.fresh {
			continue
		}
		cells = append(cells, key)
		if sum := e.view.Sum(key, e.start, e.end+1); sum.AuthFailures > 0 {
			at = max(at, sum.LastFailure)
			if first == 0 || sum.FirstFailure < first {
				first = sum.FirstFailure
			}
		}
	}
	var before, since history.Counts
	for _, key := range cells {
		refused, taken := e.view.Sum(key, first, at), e.view.Sum(key, at+bucketWidth, e.end+1)
		before.Add(&refused)
		since.Add(&taken)
	}
	return at, at > 0 && at+history.Offset(nearly) < e.end && before.OK <= before.AuthFailures/leastAttempts && since.OK >= leastAttempts
}

// fetches are the key sets that a validator fetched in [from, to].
func (e *evidence) fetches(validator string, from, to history.Offset) []history.Event {
	var found []history.Event
	for _, event := range e.events {
		if event.Kind == history.KindFetched && event.Service == validator && event.At >= from && event.At <= to {
			found = append(found, event)
		}
	}
	return found
}

// hop lists the cells whose decisions are judged: those of the credentials that
// were made meanwhile, seen where the credential is checked.
func (e *evidence) hop() []history.CellKey {
	var keys []history.CellKey
	for _, key := range e.view.Keys() {
		_, other := e.others[key.Credential]
		if key.Source == e.limits.Hop && key.Credential != "" && (key.Credential == e.old || key.Credential == e.fresh || other) {
			keys = append(keys, key)
		}
	}
	return keys
}

// page tells wall time as page time.
func (e *evidence) page(wall history.Offset) string {
	return plan.Text(e.limits.Page(wall.Duration()))
}

// emitterOf is where a presenter's credentials come from: the issuer of a
// client's tokens, or the presenter itself.
func (e *evidence) emitterOf(presenter string) string {
	if c, there := e.limits.Client(presenter); there && c.From != "" {
		return c.From
	}
	return presenter
}

// offPage is " (not on the page)" for a party that the page does not list.
func (e *evidence) offPage(name string) string {
	if v, there := e.limits.Validator(name); there && !v.OnPage {
		return ", which is not on the page,"
	}
	if m, there := e.limits.Emitter(name); there && !m.OnPage {
		return ", which is not on the page,"
	}
	return ""
}
