// Package logs turns what the logs of services tell into events and counts.
//
//	a line ─┬─► SERVICE.log, and the tail that an operator looks at
//	        ├─► of the store's audit: who read the published secret ──────► event
//	        ├─► of a team's own service: what it says that it refused ────► counts
//	        ├─► of a stand-in: an event, under the names of the history ──► event
//	        └─► or a decision or presentation ─┬─► decision counts, in buckets ► counts
//	                                           ├─► ledger: orders and effects
//	                                           └─► how many, for the four counters
//
// In memory it keeps figures, the ends of logs and the orders that are open: that
// does not grow with the lines.
package logs

import (
	"context"
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

// Logs takes the lines of services: it writes each service's to a file, and records what they tell. It
// is safe for concurrent use.
type Logs struct {
	folder string
	names  *Names
	record func(history.Event)
	offset func(time.Time) history.Offset

	authority bool              // decisions are counted from lines
	counts    *decisionCounts   // if so, where
	ledger    *ledger           // what was to be done, and what was
	refusals  *refusals         // that services of a team's own tell of
	asks      map[string]string // the authority that a consumer presents its credential to

	tails   *tails // what an operator looks at
	said    *said  // what the history keeps
	hygiene *hygiene

	mu         sync.Mutex
	files      map[string]*os.File
	audit      audit
	presented  map[string]int64 // answers of each validator, presentations of each consumer
	signs      map[string]signs // what senders of a team's own were seen to sign with
	unanswered int64            // presentations that got no answer
	retried    int64            // presentations of what was refused before
	unasked    int64            // other presentations that nobody asked for
	failed     error            // the first of writing
}

// audit says which audit lines are reads of the published secret.
type audit struct {
	path  string // API path of what is published
	shown string // what the history calls it
}

// New keeps the lines of a plan's services in files SERVICE.log of a folder, and
// records what they tell.
func New(folder string, p *plan.Plan, names *Names, r *history.Recorder) *Logs {
	l := &Logs{
		folder: folder, names: names, record: r.Record, offset: r.Offset,
		authority: p.Limits.JudgedAt == history.FromAuthority, asks: map[string]string{},
		counts:   newDecisionCounts(history.FromAuthority, r.Record),
		ledger:   newLedger(func(presenter string) bool { return names.own[presenter] }),
		refusals: newRefusals(p, names, r),
		tails:    newTails(), said: newSaid(), hygiene: newHygiene(names),
		files: map[string]*os.File{}, presented: map[string]int64{}, signs: map[string]signs{},
	}
	for _, s := range p.Services {
		l.asks[s.Name] = s.Of
	}
	return l
}

// Follow names the API path of what is published, and its name in the history: from then on its readers
// are recorded.
func (l *Logs) Follow(path, shown string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.audit = audit{path: path, shown: shown}
}

// Line takes one line of a service, without its end. Lines of one come in order.
func (l *Logs) Line(service string, line []byte) { l.LineOf(service, "", line) }

// LineOf is Line for one of the replicas of a service, whose lines have a file of
// their own, SERVICE.REPLICA.log.
func (l *Logs) LineOf(service, replica string, line []byte) {
	file := service
	if replica != "" {
		file += "." + replica
	}
	a := l.keep(file, line)
	parsed, ok := history.ParseLine(line)
	l.tails.add(service, line, ok && parsed.Decides())
	if service == history.Store {
		l.read(a, line)
		return
	}
	own := l.names.own[service] // whatever its lines look like
	l.said.add(service, l.offset(time.Now()), line, parsed, ok && !own)
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
			for _, e := range l.names.fetched(e, service, parsed) {
				l.record(e)
			}
		}
	}
}

// keep writes a line to the file of a service, or of a replica.
func (l *Logs) keep(name string, line []byte) audit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.audit
	}
	file := l.files[name]
	if file == nil {
		if file, l.failed = os.OpenFile(filepath.Join(l.folder, name+".log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); l.failed != nil {
			return l.audit
		}
		l.files[name] = file
	}
	_, l.failed = file.Write(append(line[:len(line):len(line)], '\n'))
	return l.audit
}

// read records who read the published secret.
func (l *Logs) read(a audit, line []byte) {
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
	l.record(history.Event{At: l.offset(at), Kind: history.KindRead, Service: history.Store, Reader: l.names.Whole(reader), What: a.shown})
}

// Ledger compares orders with effects, once no more lines come; false where nobody logs them.
func (l *Logs) Ledger() (history.Ledger, bool) { return l.ledger.conclude() }

// Hygiene is whether the log of a service says which credential a decision was about.
func (l *Logs) Hygiene(service string) history.Logged { return l.hygiene.of(service) }

// Tail is at most the last n lines of a service that are kept in memory, the
// newest last. They may hold secrets.
func (l *Logs) Tail(service string, n int) []string { return l.tails.last(service, n) }

// Said are the kinds of lines that each service has written, by service. They may hold secrets.
func (l *Logs) Said() map[string][]history.SaidLine {
	all := map[string][]history.SaidLine{}
	for _, service := range l.said.services() {
		all[service] = l.said.of(service)
	}
	return all
}

// FlushEvery records what was counted as its buckets end, until ctx ends.
func (l *Logs) FlushEvery(ctx context.Context) {
	tick := time.NewTicker(time.Duration(bucket))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.flush(l.offset(time.Now()) - late)
		}
	}
}

// Flush records all that was counted, once no more lines come.
func (l *Logs) Flush() { l.flush(l.offset(time.Now()) + bucket + late) }

// flush records what was counted before a moment.
func (l *Logs) flush(before history.Offset) {
	l.counts.flush(before)
	l.refusals.counts.flush(before)
}

// Err is the first error of writing; after it, lines are missing.
func (l *Logs) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// Close closes the files, once no more lines come. Its error is the first one
// of writing too: after that, lines are missing.
func (l *Logs) Close() error {
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
