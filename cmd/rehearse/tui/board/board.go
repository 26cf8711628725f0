// Package board folds the events of a run into what a person at the controls
// wants to know: is it flat, who is failing, what comes next and what does it
// wait for. It draws nothing. Its memory does not grow with requests; with time it
// does, by each stretch of counts: the gates look at them, and the screen asks the gates.
package board

import (
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Run is what is known of a run before it begins.
type Run struct {
	Name   string // of the scenario
	Limits plan.Limits
	// Baseline is how long the baseline is planned to last, in page time.
	Baseline time.Duration
	// OnPage are the names of the consumers of the page.
	OnPage []string
}

// Board is the state of a run as it is shown. It is a listener: an event takes
// it a few microseconds, and nobody who looks at it keeps it longer than it
// takes to draw a screen. Make one with New.
type Board struct {
	run Run
	now func() time.Time

	mu      sync.Mutex
	began   time.Time // of the run, as far as the events tell; zero before the first
	last    history.Offset
	view    *history.View
	made    []string // credentials, in the order in which they were made
	known   map[string]string
	gates   map[history.Phase][]history.Gate
	faults  []Fault
	rows    []*Row
	byPair  map[Pair]*Row
	rotated bool   // the rotation has ended
	ended   string // how
	end     history.Offset
	status  string // what goes on before the first event and after the last
	dropped int64
	back    *history.Decision // that turned the rotation back
	noted   int               // decisions that only record
	verdict *judge.Verdict
}

// New is the board of a run. now is the clock: time.Now, but in tests.
func New(r Run, now func() time.Time) *Board {
	if r.Limits.Speed <= 0 {
		r.Limits.Speed = 1
	}
	b := &Board{
		run: r, now: now, view: history.NewLivingView(), known: map[string]string{},
		gates: map[history.Phase][]history.Gate{}, byPair: map[Pair]*Row{},
	}
	for _, c := range r.Limits.Clients {
		b.row(Pair{history.FromLoad, c.Name, c.To}) // those that are never seen are shown too
	}
	return b
}

var _ history.Listener = (*Board)(nil)

// Event takes an event into account.
func (b *Board) Event(e history.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// Events come late and never early: of all the beginnings that they tell, the
	// earliest is the nearest to the truth.
	if began := b.now().Add(-e.At.Duration()); b.began.IsZero() || began.Before(b.began) {
		b.began = began
	}
	b.last = max(b.last, e.At)
	b.view.Apply(e)
	if e.Kind == history.KindCounts {
		b.count(e)
		return
	}
	switch e.Kind {
	case history.KindPhase:
		if e.Phase == history.Baseline {
			b.clear()
		}
	case history.KindCredential:
		b.made = append(b.made, e.Credential)
		b.known[e.Identifier] = e.Credential
	case history.KindGate:
		if e.Gate != nil {
			b.gates[e.Gate.Phase] = append(b.gates[e.Gate.Phase], *e.Gate)
		}
	case history.KindFault:
		if e.Fault != nil {
			b.fault(e.At, e.Fault)
		}
	case history.KindDecision:
		b.decide(e.Decision)
	case history.KindEnd:
		b.rotated, b.ended, b.end = true, e.Detail, e.At
	}
}

func (b *Board) decide(d *history.Decision) {
	switch {
	case d == nil:
	case d.Action == history.ActionRecord:
		b.noted++
	case b.back == nil:
		b.back = d
	}
}

// Dropped says that n events are missing from what is shown.
func (b *Board) Dropped(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped += n
}

// Say is what goes on before the first event and after the last, in a sentence.
func (b *Board) Say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = text
}

// Conclude shows a verdict.
func (b *Board) Conclude(v judge.Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verdict = &v
}

// Look calls f while nothing changes. The State is only good inside of f.
func (b *Board) Look(f func(*State)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f((*State)(b))
}

// State is a Board that stands still.
type State Board

// Run is what was known before the run began.
func (s *State) Run() Run { return s.run }

// Now is the offset of this moment; once the rotation has ended, that of its end.
func (s *State) Now() history.Offset {
	if s.began.IsZero() {
		return 0
	}
	if s.rotated {
		return s.end
	}
	return max(s.last, history.Offset(s.now().Sub(s.began)))
}

// View is what the parties have said, as the gates see it.
func (s *State) View() *history.View { return s.view }

// Old and New are the credentials of the rotation: the first that was made, and
// the second; empty before they are made.
func (s *State) Old() string {
	if len(s.made) == 0 {
		return ""
	}
	return s.made[0]
}

// New is the credential that Old gives way to.
func (s *State) New() string {
	if len(s.made) < 2 {
		return ""
	}
	return s.made[1] // a third is of another rotation
}

// Credential is the name of a credential by its identifier, or that itself.
func (s *State) Credential(identifier string) string {
	if name, ok := s.known[identifier]; ok {
		return name
	}
	return identifier
}

// Phase is the phase under way; empty before the first.
func (s *State) Phase() history.Phase { return s.view.Phase }

// Ended is how the rotation ended, one of the history.Ended constants; empty
// while it goes on.
func (s *State) Ended() string { return s.ended }

// Status is what Say was told last.
func (s *State) Status() string { return s.status }

// Missing is how many events the board was not told of.
func (s *State) Missing() int64 { return s.dropped }

// TurnedBack is the decision that ended the way forward, or nil.
func (s *State) TurnedBack() *history.Decision { return s.back }

// Verdict is what the run came to; nil before it is judged.
func (s *State) Verdict() *judge.Verdict { return s.verdict }

// Services are the names of all parties of the run that have a log, in the
// plan's order: validators, emitters, caches, then those of the harness.
func (s *State) Services() []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, c := range s.run.Limits.Clients {
		add(c.To)
	}
	for _, v := range s.run.Limits.Validators {
		add(v.Name)
	}
	for _, e := range s.run.Limits.Emitters {
		add(e.Name)
	}
	for _, c := range s.run.Limits.Caches {
		add(c.Name)
	}
	add("store")
	add("load")
	return names
}
