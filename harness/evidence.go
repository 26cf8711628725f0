package harness

import (
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// recording is the world.History of a real run.
type recording struct {
	recorder *history.Recorder
	names    *logs.Names
	probes   *probes
	bound    func() any // the family, once it is bound
}

// also is the other name under which a credential is presented; "" where it has none.
func (e recording) also(identifier string) string {
	if e.bound == nil {
		return ""
	}
	if named, ok := e.bound().(family.Named); ok {
		return named.Also(identifier)
	}
	return ""
}

// probes counts the harness's own presentations.
type probes struct{ sent, unanswered atomic.Int64 }

var _ world.History = recording{}

// Record appends an event, and keeps what the run itself needs of it.
func (e recording) Record(event history.Event) {
	switch {
	case event.Kind == history.KindCredential:
		e.names.AddCredential(event.Identifier, event.Credential)
		if also := e.also(event.Identifier); also != "" {
			e.names.AddCredential(also, event.Credential)
		}
	case event.Kind == history.KindProbe && event.Probe != nil:
		e.probes.count(event.Probe)
	}
	e.recorder.Record(event)
}

// count counts a probe that was sent.
func (p *probes) count(probe *history.Probe) {
	if probe.Outcome == history.HarnessError {
		return
	}
	p.sent.Add(1)
	if family.Unanswered(probe.Status) {
		p.unanswered.Add(1)
	}
}

// See calls f with the live view.
func (e recording) See(f func(*history.View)) { e.recorder.See(f) }

// Offset is the present offset.
func (e recording) Offset() history.Offset { return e.recorder.Offset(time.Now()) }
