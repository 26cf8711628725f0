package evidence

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Evidence is a history, indexed for rules and detectors.
type Evidence struct {
	Limits plan.Limits
	Events []history.Event // until the rotation ended, in order
	View   *history.View
	Phases []judge.PhaseSpan
	// Old and Fresh are the names of the two credentials, in the order in which
	// they were made; empty where there was none.
	Old, Fresh string
	Start, End history.Offset // of the phases
	Ended      string         // a history.Ended constant; empty: the rotation has no end
	Gates      []history.Gate
	Decisions  []history.Event // to take the rotation back
	Leaks      history.Leaks
	Ledger     *history.Ledger   // nil: nobody keeps one
	Agreement  history.Agreement // the last one
	Totals     history.Totals
	Counters   []history.Counter         // of external validators
	Has        map[history.Kind]bool     // which kinds of events there are
	Others     map[string]history.Offset // credentials that another rotation made, and when
	Disorder   string                    // what is out of order in the history; empty: nothing

	about map[string][]*history.Event // events by the service that they are about
	reads map[string][]*history.Event // by who read
	steps []*history.Event

	judged   []history.CellKey // of so many cells in all
	judgedOf int

	ClockSet *history.Event // the first time before the end that the machine's clock was set; nil: it never was
}

// Gather indexes the history of a plan, without what parties did after the rotation had ended. It
// changes neither.
func Gather(h *history.History, l plan.Limits) *Evidence {
	h = untilTheEnd(&history.History{Events: h.Named()})
	e := &Evidence{
		Limits: l, Events: h.Events, View: history.ViewOf(h), Phases: []judge.PhaseSpan{}, Gates: []history.Gate{},
		Has: map[history.Kind]bool{}, Others: map[string]history.Offset{},
	}
	for _, event := range h.Events {
		e.Has[event.Kind] = true
		switch event.Kind {
		case history.KindPhase:
			e.closePhase(event.At)
			e.Phases = append(e.Phases, judge.PhaseSpan{Name: event.Phase, StartMS: event.At.Milliseconds(), EndMS: event.At.Milliseconds()})
			if len(e.Phases) == 1 {
				e.Start = event.At
			}
		case history.KindCredential:
			if e.Old == "" {
				e.Old = event.Credential
			} else if e.Fresh == "" {
				e.Fresh = event.Credential
			} else {
				e.Others[event.Credential] = event.At
			}
		case history.KindGate:
			e.Gates = append(e.Gates, *event.Gate)
		case history.KindClockSet:
			if e.ClockSet == nil && e.Ended == "" {
				first := event // only this one is kept
				e.ClockSet = &first
			}
		case history.KindDecision:
			e.Decisions = append(e.Decisions, event)
		case history.KindAgreement:
			e.Agreement = *event.Agreement
		case history.KindLeaks:
			e.Leaks = *event.Leaks
		case history.KindLedger:
			e.Ledger = event.Ledger
		case history.KindTotals:
			e.Totals, e.Counters = *event.Totals, event.Counters
		case history.KindEnd:
			e.Ended, e.End = event.Detail, event.At
			e.closePhase(event.At)
		}
	}
	if e.End == 0 {
		e.End = e.View.Now
		e.closePhase(e.End)
	}
	e.nameRefused()
	e.Disorder = disorder(h, e)
	return e
}

// index indexes the events by the service that they are about.
func (e *Evidence) index() {
	if e.about != nil {
		return
	}
	e.about, e.reads = map[string][]*history.Event{}, map[string][]*history.Event{}
	for i := range e.Events {
		event := &e.Events[i]
		if event.Service != "" {
			e.about[event.Service] = append(e.about[event.Service], event)
		}
		if event.Reader != "" {
			e.reads[event.Reader] = append(e.reads[event.Reader], event)
		}
		if event.Kind == history.KindStep {
			e.steps = append(e.steps, event)
		}
	}
}

// About are the events about a service, in order. Nobody may change them.
func (e *Evidence) About(service string) []*history.Event {
	e.index()
	return e.about[service]
}

// ReadBy are the events of what a party read, in order. Nobody may change them.
func (e *Evidence) ReadBy(reader string) []*history.Event {
	e.index()
	return e.reads[reader]
}

// taken are the events of steps, in order.
func (e *Evidence) taken() []*history.Event {
	e.index()
	return e.steps
}

// untilTheEnd is a history without what its parties did after the end of the rotation: services are
// stopped then, and their sessions end, which explains nothing of before.
func untilTheEnd(h *history.History) *history.History {
	i := slices.IndexFunc(h.Events, func(event history.Event) bool { return event.Kind == history.KindEnd })
	if i < 0 {
		return h
	}
	end := h.Events[i].At
	after := func(event history.Event) bool { return event.At > end && slices.Contains(ofParties, event.Kind) }
	if !slices.ContainsFunc(h.Events, after) {
		return h // to copy a long one takes longer than to read it
	}
	return &history.History{Events: slices.DeleteFunc(slices.Clone(h.Events), after)}
}

// ofParties are the kinds of what the parties themselves do.
var ofParties = []history.Kind{
	history.KindExit, history.KindFetched, history.KindFetchFailed, history.KindLearned, history.KindForgot, history.KindLoaded,
	history.KindPublished, history.KindEmitting, history.KindEnded, history.KindDenied, history.KindLived, history.KindLooked, history.KindLocked, history.KindUnlocked, history.KindRead, history.KindSession,
}

func (e *Evidence) closePhase(at history.Offset) {
	if n := len(e.Phases); n > 0 {
		e.Phases[n-1].EndMS = at.Milliseconds()
	}
}

// disorder says what is impossible in a history that was recorded as it happened. Lines from services'
// logs may arrive a little late; phases, and the buckets of one cell, come in order.
func disorder(h *history.History, e *Evidence) string {
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
	for _, key := range e.View.Keys() {
		if !slices.IsSortedFunc(e.View.Cells[key], func(a, b history.Bucket) int { return cmp.Compare(a.At, b.At) }) {
			return "counts of " + key.Presenter + " at " + key.Validator + " are out of order"
		}
	}
	return ""
}

// Done is when a step of a credential was first done; false: it never was.
func (e *Evidence) Done(step keyring.Step, credential string) (history.Offset, bool) {
	for _, event := range e.taken() {
		if event.Step == string(step) && event.Credential == credential && event.Detail == "" {
			return event.At, true
		}
	}
	return 0, false
}

// LastStep is the last step begun before a moment: the step that a failure then began with. Steps
// outside the phases made the initial state.
func (e *Evidence) LastStep(before history.Offset) string {
	step := "baseline"
	for _, event := range e.taken() {
		if event.Detail == "" && Began(*event) <= before && event.Phase != "" {
			step = event.Step
		}
	}
	return step
}

// Begun is when a completed step of a credential was begun; false: there is none.
func (e *Evidence) Begun(step keyring.Step, credential string) (history.Offset, bool) {
	for _, event := range e.taken() {
		if event.Step == string(step) && event.Credential == credential && event.Detail == "" {
			return Began(*event), true
		}
	}
	return 0, false
}

// Began is when a step was begun, or done where the history does not say.
func Began(step history.Event) history.Offset {
	if step.Began == 0 {
		return step.At
	}
	return step.Began
}

// PhaseAt is the phase in which a moment lies.
func (e *Evidence) PhaseAt(at history.Offset) string {
	name := ""
	for _, p := range e.Phases {
		if at.Milliseconds() >= p.StartMS {
			name = string(p.Name)
		}
	}
	return name
}

// Fetches are the key sets that a validator fetched in [from, to].
func (e *Evidence) Fetches(validator string, from, to history.Offset) []history.Event {
	var found []history.Event
	for _, event := range e.About(validator) {
		if event.Kind != history.KindFetched || event.At < from {
			continue
		}
		for at := range event.Times() {
			if at >= from && at <= to {
				one := *event
				one.At, one.Began, one.Count = at, 0, 0
				found = append(found, one)
			}
		}
	}
	return found
}

// JudgedCells lists the judged cells: of the run's credentials, where the credential is checked.
// Nobody may change it.
func (e *Evidence) JudgedCells() []history.CellKey {
	if e.judgedOf == len(e.View.Cells) {
		return e.judged
	}
	var keys []history.CellKey
	for _, key := range e.View.Keys() {
		_, other := e.Others[key.Credential]
		if key.Source == e.Limits.JudgedAt && key.Credential != "" && (key.Credential == e.Old || key.Credential == e.Fresh || other) {
			keys = append(keys, key)
		}
	}
	e.judged, e.judgedOf = keys, len(e.View.Cells)
	return keys
}

// Page writes wall time as page time.
func (e *Evidence) Page(wall history.Offset) string {
	return plan.Text(e.Limits.Page(wall.Duration()))
}

// EmitterOf is where a presenter's credentials come from: the issuer of a
// client's tokens, or the presenter itself.
func (e *Evidence) EmitterOf(presenter string) string {
	if c, ok := e.Limits.Client(presenter); ok && c.From != "" {
		return c.From
	}
	return presenter
}

// OffPage is ", which is not on the page," for a party that the page does not list; else "".
func (e *Evidence) OffPage(name string) string {
	if v, ok := e.Limits.Validator(name); ok && !v.OnPage {
		return ", which is not on the page,"
	}
	if m, ok := e.Limits.Emitter(name); ok && !m.OnPage {
		return ", which is not on the page,"
	}
	return ""
}
