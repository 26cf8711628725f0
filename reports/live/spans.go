package live

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Spans tell a run as one trace: a span for the run; in it one for each phase, with its
// gate and its steps, those of a way back among them; and one for each fault, from the
// moment at which it was injected until it was undone. One goroutine may tell it of
// events; Close ends what is open.
//
//	run      ├──────────────────────────────────────────┤
//	phase    ├ baseline ┤├ accept ┤├ verify ┤├ emit ┤…
//	step                  ├accept┤              ├emit┤
//	gate                 •         •         •
//	fault                        ├─ partition ─┤
type Spans struct {
	tracer trace.Tracer
	plan   *plan.Plan
	now    func() time.Time

	mu      sync.Mutex
	started time.Time // the moment from which offsets count
	run     context.Context
	phase   context.Context // nil: none is under way
	faults  map[[2]string]trace.Span
	last    history.Offset
}

// NewSpans are those of a run of a plan, before its first event.
func NewSpans(p *plan.Plan, tracer trace.Tracer) *Spans {
	return &Spans{tracer: tracer, plan: p, now: time.Now, faults: map[[2]string]trace.Span{}}
}

var _ history.Listener = (*Spans)(nil)

// Event takes one more event into account.
func (s *Spans) Event(e history.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil { // events come as they happen
		s.started = s.now().Add(-e.At.Duration())
		s.run, _ = s.tracer.Start(context.Background(), "rehearsal", s.at(e.At), trace.WithAttributes(
			attribute.String("rehearse.scenario", s.plan.Name), attribute.String("rehearse.secret", s.plan.Runbook.Scope.Name),
			attribute.String("rehearse.family", s.plan.Runbook.Scope.Family), attribute.Float64("rehearse.speed", s.plan.Speed)))
	}
	s.last = max(s.last, e.At)
	switch e.Kind {
	case history.KindPhase:
		s.endPhase(e.At)
		s.phase, _ = s.tracer.Start(s.run, "phase "+string(e.Phase), s.at(e.At), trace.WithAttributes(attribute.String("rehearse.phase", string(e.Phase))))
	case history.KindStep:
		s.whole("step "+e.Step, max(e.Began, 0), e.At, e.Detail, attribute.String("rehearse.step", e.Step), attribute.String("rehearse.credential", e.Credential))
	case history.KindGate:
		why := ""
		if !e.Gate.Held {
			why = e.Gate.Detail
		}
		s.whole("gate "+string(e.Gate.Phase), e.At, e.At, why, attribute.Bool("rehearse.gate.held", e.Gate.Held),
			attribute.String("rehearse.gate.mode", e.Gate.Mode), attribute.String("rehearse.gate.detail", e.Gate.Detail))
	case history.KindFault:
		s.fault(e)
	case history.KindDecision:
		trace.SpanFromContext(s.within()).AddEvent("decision: "+string(e.Decision.Action), s.at(e.At), trace.WithAttributes(attribute.String("rehearse.why", e.Decision.Why)))
	case history.KindEnd:
		s.endPhase(e.At)
		trace.SpanFromContext(s.run).SetAttributes(attribute.String("rehearse.ended", e.Detail))
	}
}

// Dropped has nothing to tell: counts are what is dropped, for they are what comes fast.
func (s *Spans) Dropped(int64) {}

// Close ends what is open, with the last event.
func (s *Spans) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return
	}
	s.endPhase(s.last)
	for _, span := range s.faults {
		span.End(s.at(s.last))
	}
	trace.SpanFromContext(s.run).End(s.at(s.last))
}

// at is a moment of the run.
func (s *Spans) at(o history.Offset) trace.SpanEventOption {
	return trace.WithTimestamp(s.started.Add(o.Duration()))
}

// within is the span that what happens now is in: the phase or, outside of phases, the run.
func (s *Spans) within() context.Context {
	if s.phase != nil {
		return s.phase
	}
	return s.run
}

func (s *Spans) endPhase(at history.Offset) {
	if s.phase != nil {
		trace.SpanFromContext(s.phase).End(s.at(at))
		s.phase = nil
	}
}

// whole is a span that is over when it is told of; failed says why it went wrong.
func (s *Spans) whole(name string, from, to history.Offset, failed string, attributes ...attribute.KeyValue) {
	if from == 0 || from > to {
		from = to
	}
	_, span := s.tracer.Start(s.within(), name, s.at(from), trace.WithAttributes(attributes...))
	if failed != "" {
		span.SetStatus(codes.Error, failed)
	}
	span.End(s.at(to))
}

// fault begins, tells of or ends a fault.
func (s *Spans) fault(e history.Event) {
	f := e.Fault
	key := [2]string{f.Kind, f.Target}
	span := s.faults[key]
	switch f.Stage {
	case history.FaultInjected:
		_, s.faults[key] = s.tracer.Start(s.run, "fault "+f.Kind, s.at(e.At), trace.WithAttributes(
			attribute.String("rehearse.fault", f.Kind), attribute.String("rehearse.target", f.Target)))
	case history.FaultEvidence:
		if span != nil {
			span.AddEvent("evidence", s.at(e.At), trace.WithAttributes(attribute.Bool("rehearse.took", f.Took)))
		}
	case history.FaultFailed:
		if span == nil {
			s.whole("fault "+f.Kind, e.At, e.At, f.Detail, attribute.String("rehearse.fault", f.Kind), attribute.String("rehearse.target", f.Target))
			return
		}
		span.SetStatus(codes.Error, f.Detail)
	case history.FaultUndone:
		if span != nil {
			span.End(s.at(e.At))
			delete(s.faults, key)
		}
	}
}
