package simulated

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// repeats merges fetches and reads that find nothing new: while nothing else happens, one event tells
// of those of one party, with their number.
type repeats struct {
	held  bool // merging is on; before, each is recorded at once
	of    map[repeated]*repeat
	order []*repeat
}

// repeated is what is done again.
type repeated struct {
	kind                  history.Kind
	service, reader, what string
}

// repeat is what a party did last, and how often since that was recorded.
type repeat struct {
	last  history.Event
	first history.Offset
	n     int64
}

// together are the kinds of events before which everything held back is recorded: what comes before and
// after them differs.
var together = map[history.Kind]bool{
	history.KindPhase: true, history.KindStep: true, history.KindFault: true, history.KindDecision: true, history.KindExit: true,
	history.KindOperator: true, history.KindEnd: true, history.KindCredential: true, history.KindFetchFailed: true,
}

// record records a fetch or read, or holds it back where it repeats the last.
func (r *repeats) record(to *history.Recorder, e history.Event) {
	key := repeated{e.Kind, e.Service, e.Reader, e.What}
	p := r.of[key]
	if p == nil {
		p = &repeat{}
		r.of[key] = p
		r.order = append(r.order, p)
	}
	same := p.last.Kind != "" && p.last.Detail == "" && e.Detail == "" && p.last.From == e.From &&
		slices.Equal(p.last.Credentials, e.Credentials) && slices.Equal(p.last.Holds, e.Holds)
	if !r.held || !same {
		p.tell(to)
		p.last = e
		to.Record(e)
		return
	}
	if !p.even(e.At) {
		p.tell(to)
	}
	if p.n == 0 {
		p.first = e.At
	}
	p.last, p.n = e, p.n+1
}

// even reports whether one more at a moment keeps the interval of those held back.
func (p *repeat) even(at history.Offset) bool {
	if p.n < 2 {
		return true
	}
	every := (p.last.At - p.first) / history.Offset(p.n-1)
	return max(at-p.last.At-every, every-(at-p.last.At)) <= every/1000
}

// tell tells what is held.
func (r *repeats) tell(to *history.Recorder) {
	for _, p := range r.order {
		p.tell(to)
	}
}

func (p *repeat) tell(to *history.Recorder) {
	if p.n == 0 {
		return
	}
	e := p.last
	if p.n > 1 {
		e.Began, e.Count = p.first, p.n
	}
	p.n = 0
	to.Record(e)
}
