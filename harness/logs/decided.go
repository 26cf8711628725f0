package logs

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// decided counts what a validator decided.
func (l *Logs) decided(service string, at history.Offset, line history.Line) {
	l.tell(service)
	if !l.authority || isProbe(line.Presenter) {
		return
	}
	if line.Effect != "" && line.Order != "" {
		l.ledger.effect(at, line.Order, line.Effect, l.order(l.names.presenter(line, service), service, line))
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = l.names.presenter(line, service), service, history.OK
	if line.Message == history.MessageRefused {
		d.outcome = history.AuthFailure
	}
	l.counts.count(d)
	l.signing(d, line)
}

// signing records which credential a service of a team's own signs with, which no log of its own tells,
// by what it was seen to sign just then: each change, and going back no more than once a bucket.
func (l *Logs) signing(d decision, line history.Line) {
	if !line.Anew || line.Identifier == history.UnknownIdentifier || !l.names.own[d.presenter] || !l.names.emits(d.presenter) {
		return
	}
	l.mu.Lock()
	last, before := l.signs[d.presenter]
	changed := !before || last.credential != d.credential && d.at >= last.at+bucket
	if changed {
		l.signs[d.presenter] = signs{d.credential, d.at}
	}
	l.mu.Unlock()
	if changed {
		l.record(history.Event{At: d.at, Kind: history.KindEmitting, Service: d.presenter, Credential: d.credential, Identifier: line.Identifier})
	}
}

// signs is a credential that a service was seen to sign with, and since when.
type signs struct {
	credential string
	at         history.Offset
}

// undecided counts an answer that decided nothing. Where an authority is judged, it counts as a
// validator that was unavailable to the presenter, if the presenter had an answer.
func (l *Logs) undecided(service string, at history.Offset, line history.Line) {
	l.tell(service)
	if !l.authority || line.Presenter == "" || isProbe(line.Presenter) {
		return
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = l.names.presenter(line, service), service, history.Unavailable
	l.counts.count(d)
}

// answered counts a consumer's presentation. It counts as judged where the validator has no log of
// ours: where it gave no answer, or is external, so that only the presenter's record is known.
func (l *Logs) answered(service string, at history.Offset, line history.Line) {
	answered := line.Status != history.StatusUnavailable
	l.mu.Lock()
	l.presented[service]++
	if !answered {
		l.unanswered++
	}
	switch {
	case line.Attempt > 1:
		l.retried++
	case line.Unasked:
		l.unasked++
	}
	l.mu.Unlock()
	if line.Settled != "" {
		l.ledger.settled(at, line.Order, line.Settled, l.order(service, l.asks[service], line))
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = service, cmp.Or(line.Validator, l.asks[service]), cmp.Or(line.Outcome, history.Unavailable)
	if l.authority && (!answered || l.names.own[d.validator]) {
		l.counts.count(d)
	}
}

func (l *Logs) decision(at history.Offset, line history.Line) decision {
	return decision{
		at: at, credential: l.names.credential(line),
		status: line.Status, detail: line.Detail, micros: line.Latency, retry: line.Attempt > 1,
	}
}

// order is the common part of irregular orders, as far as a line tells.
func (l *Logs) order(presenter, validator string, line history.Line) history.Irregular {
	like := history.Irregular{
		Presenter: presenter, Validator: validator, Credential: l.names.Credential(line.Identifier),
		Idempotent: line.Idempotent, Was: cmp.Or(line.Was, line.Status),
	}
	if line.Earlier != "" {
		like.Earlier = l.names.Credential(line.Earlier)
	}
	return like
}

// tell counts one answer of a validator.
func (l *Logs) tell(service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.presented[service]++
}

// Told is how many decisions or presentations a service has logged.
func (l *Logs) Told(service string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.presented[service]
}

// Tries are how many presentations were retries after a refusal, and how many others were made unasked.
func (l *Logs) Tries() (retried, unasked int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.retried, l.unasked
}

// Unanswered is how many presentations got no answer.
func (l *Logs) Unanswered() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unanswered
}

// Attempts is how many decisions of the authority were counted, plus presentations to it without an
// answer.
func (l *Logs) Attempts() int64 { return l.counts.attempts() }

// Presented is how many of them were about what one presenter showed.
func (l *Logs) Presented(by string) int64 { return l.counts.presented(by) }
