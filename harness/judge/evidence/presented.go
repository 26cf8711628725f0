package evidence

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// SaysHow reports whether the scenario says how a service refuses.
func (e *Evidence) SaysHow(service string) bool { return slices.Contains(e.Limits.Refusals, service) }

// Presented sums up a validator's answers to the old credential after the revoke.
type Presented struct {
	history.Answers
	session bool // its last acceptance was by a session from before
	// Refused says that every answer from some moment on refused it: after mixed answers, so many in a
	// row that no replica is left that takes it.
	Refused   bool
	RefusedAt history.Offset // the first refusal after which it was not taken again
}

// BySession reports whether only a session from before the revoke took it to the end.
func (p Presented) BySession() bool { return p.session && !p.Refused }

// OldProbes sums up the answers to the old credential since the revoke. An answer counts from when it
// was asked for: a slow answer is no late refusal.
func (e *Evidence) OldProbes(v plan.Validator, revoked history.Offset) Presented {
	var p Presented
	for _, event := range e.About(v.Name) {
		if event.Kind != history.KindProbe || event.Probe.Purpose != history.OldAfter || event.At < revoked {
			continue
		}
		if event.Credential == e.Old {
			p.Add(event.At, event.Probe)
		}
		if event.Probe.Outcome == history.OK {
			p.session = event.Probe.Session
		}
	}
	p.Refused = p.InARow >= v.InARow() || p.InARow > 0 && p.Again == 0
	p.RefusedAt = p.RefusedSince
	return p
}

// Presentations adds up an emitter's presentations of a credential between two moments; validator "" is all
// of them.
func (e *Evidence) Presentations(emitter, validator, credential string, from, until history.Offset) *history.Counts {
	all := &history.Counts{}
	for _, key := range e.JudgedCells() {
		if key.Presenter == emitter && key.Credential == credential && (validator == "" || key.Validator == validator) {
			sum := e.View.Sum(key, from, until)
			all.Add(&sum)
		}
	}
	return all
}

// SessionsEnded are the sessions of a presenter that whoever decides about it ended in [from, to].
func (e *Evidence) SessionsEnded(presenter string, from, to history.Offset) (ended []history.Event) {
	for _, event := range e.Events {
		if event.Kind == history.KindEnded && event.Reader == presenter && event.At >= from && event.At <= to {
			ended = append(ended, event)
		}
	}
	return ended
}

// Lost adds up what a client felt at the service that it calls in [from, until),
// and when it first and last got no answer.
func (e *Evidence) Lost(client, to string, from, until history.Offset) (sum history.Counts, first, last history.Offset) {
	for _, key := range e.View.Keys() {
		if key.Source != history.FromLoad || key.Presenter != client || key.Validator != to {
			continue
		}
		c := e.View.Sum(key, from, until)
		sum.Add(&c)
		for _, b := range e.View.Buckets(key, from, until) {
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
