package harness

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// logs is where the lines of services go: each to a file of its own, and what
// they tell to the history.
type logs struct {
	folder string
	names  *names
	record func(history.Event)
	offset func(time.Time) history.Offset

	authority bool              // decisions are counted from lines
	hop       *hop              // if so, where
	ledger    *ledger           // what was to be done, and what was
	refusals  *refusals         // that services of a team's own tell of
	asks      map[string]string // the authority that a consumer presents its credential to

	tails   *tails // what an operator looks at
	hygiene *hygiene

	mu         sync.Mutex
	files      map[string]*os.File
	audit      audit
	presented  map[string]int64 // answers of each validator, presentations of each consumer
	unanswered int64            // presentations that got no answer
	retried    int64            // presentations of what was refused before
	unasked    int64            // other presentations that nobody asked for
	failed     error            // the first of writing
}

// audit says which lines tell of a reader of the published secret.
type audit struct {
	service string // the store
	path    string // API path of what is published
	shown   string // what the history calls it
}

func newLogs(folder string, p *plan.Plan, names *names, r *history.Recorder) *logs {
	l := &logs{
		folder: folder, names: names, record: r.Record, offset: r.Offset,
		authority: p.Limits.Hop == history.FromAuthority, hop: newHop(history.FromAuthority, r.Record), refusals: newRefusals(p, names, r), ledger: newLedger(func(presenter string) bool { return names.own[presenter] }), asks: map[string]string{},
		tails: newTails(), hygiene: newHygiene(names),
		files: map[string]*os.File{}, presented: map[string]int64{},
	}
	for _, s := range p.Services {
		l.asks[s.Name] = s.Of
	}
	return l
}

// follow says which lines are to be taken for audit lines.
func (l *logs) follow(a audit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.audit = a
}

// line takes one line of a service. Lines of one come in order.
func (l *logs) line(service string, line []byte) {
	a := l.keep(service, line)
	parsed, ok := history.ParseLine(line)
	l.tails.add(service, line, ok && parsed.Decides())
	if service == storeService {
		l.read(a, line)
		return
	}
	own := l.names.own[service] // whatever its lines look like
	l.hygiene.line(service, parsed, ok && !own, line)
	if own {
		l.refusals.line(service, line)
		return
	}
	if !ok {
		return
	}
	at := l.offset(parsed.Time)
	switch parsed.Message {
	case history.MessageAccepted, history.MessageRefused:
		l.decided(service, at, parsed)
	case history.MessageUndecided:
		l.undecided(service, at, parsed)
	case history.MessagePresented:
		l.answered(service, at, parsed)
	default:
		e, ok := l.names.event(service, parsed, at)
		if !ok {
			return
		}
		l.record(e)
		if e.Kind == history.KindRead {
			for _, e := range l.names.fetched(e, service, parsed.Identifiers) {
				l.record(e)
			}
		}
	}
}

// keep writes a line to the service's file.
func (l *logs) keep(service string, line []byte) audit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.audit
	}
	file := l.files[service]
	if file == nil {
		if file, l.failed = os.Create(filepath.Join(l.folder, service+".log")); l.failed != nil {
			return l.audit
		}
		l.files[service] = file
	}
	_, l.failed = file.Write(append(line[:len(line):len(line)], '\n'))
	return l.audit
}

// read records who read the published secret.
func (l *logs) read(a audit, line []byte) {
	reader, path, operation, ok := store.ReadLine(line)
	if !ok || operation != "read" || path != a.path {
		return
	}
	at := time.Now()
	var stamp struct {
		Time time.Time `json:"time"`
	}
	if err := json.Unmarshal(line, &stamp); err == nil && !stamp.Time.IsZero() {
		at = stamp.Time
	}
	l.record(history.Event{At: l.offset(at), Kind: history.KindRead, Service: a.service, Reader: reader, What: a.shown})
}

// decided counts what a validator decided.
func (l *logs) decided(service string, at history.Offset, line history.Line) {
	l.tell(service)
	if !l.authority || isProbe(line.Presenter) {
		return
	}
	if line.Effect != "" && line.Order != "" {
		l.ledger.effect(at, line.Order, line.Effect, l.order(line.Presenter, service, line))
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = line.Presenter, service, history.OK
	if line.Message == history.MessageRefused {
		d.outcome = history.AuthFailure
	}
	l.hop.count(d)
}

// undecided counts an answer that was no decision. At the hop it is one of a
// validator that was not there for the presenter, if that had an answer.
func (l *logs) undecided(service string, at history.Offset, line history.Line) {
	l.tell(service)
	if !l.authority || line.Presenter == "" || isProbe(line.Presenter) {
		return
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = line.Presenter, service, history.Unavailable
	l.hop.count(d)
}

// answered counts what a consumer presented. A presentation that was not
// answered is counted at the hop too: the rest the authority tells itself.
func (l *logs) answered(service string, at history.Offset, line history.Line) {
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
	if !l.authority || answered {
		return
	}
	d := l.decision(at, line)
	d.presenter, d.validator, d.outcome = service, l.asks[service], history.Unavailable
	if line.Validator != "" {
		d.validator = line.Validator
	}
	l.hop.count(d)
}

func (l *logs) decision(at history.Offset, line history.Line) decision {
	return decision{
		at: at, credential: l.names.credential(line.Identifier),
		status: line.Status, detail: line.Detail, micros: line.Latency, retry: line.Attempt > 1,
	}
}

// order is what an order has in common with others, as far as a line tells.
func (l *logs) order(presenter, validator string, line history.Line) history.Irregular {
	like := history.Irregular{
		Presenter: presenter, Validator: validator, Credential: l.names.credential(line.Identifier),
		Idempotent: line.Idempotent, Was: cmp.Or(line.Was, line.Status),
	}
	if line.Earlier != "" {
		like.Earlier = l.names.credential(line.Earlier)
	}
	return like
}

// tell counts one answer of a validator.
func (l *logs) tell(service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.presented[service]++
}

// told is how many decisions or presentations the lines of a service tell of.
func (l *logs) told(service string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.presented[service]
}

// tries are how many presentations were retries after a refusal, and how many
// others a consumer made by itself.
func (l *logs) tries() (retried, unasked int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.retried, l.unasked
}

// noAnswers is how many presentations got no answer.
func (l *logs) noAnswers() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unanswered
}

// close closes the files, once no more lines come. Its error is the first one
// of writing too: after that, lines are missing.
func (l *logs) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := []error{l.failed}
	for _, file := range l.files {
		errs = append(errs, file.Close())
	}
	l.files = map[string]*os.File{}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("keep logs of services: %w", err)
	}
	return nil
}

// flush records what was counted before a moment.
func (l *logs) flush(before history.Offset) {
	l.hop.flush(before)
	l.refusals.hop.flush(before)
}
