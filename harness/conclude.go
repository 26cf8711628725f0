package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/leak"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// listenerPatience is how long listeners get for what is queued for them.
const listenerPatience = 2 * time.Second

// conclude completes the history once all logs were read to their end, has it judged, and has the
// reports written and searched for secrets.
func (r *run) conclude(m measured) error {
	r.logs.Flush()
	if m.sent != nil {
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachineSum, Who: history.TheLoad, Due: m.sent.Scheduled, Sent: m.sent.Scheduled - m.sent.Behind,
		}})
		t := r.totals(*m.sent, m.counters)
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindTotals, Totals: &t, Counters: r.counted()})
	}
	r.recordHygiene()
	r.recordUnread()
	if books, kept := r.logs.Ledger(); kept {
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindLedger, Ledger: &books})
	}
	scanner := leak.New(slices.Concat(r.secrets, r.bound.Secrets()))
	r.recordSaid(scanner)
	// A failure to write or read is reported at the end: the measurements are in memory, and are
	// judged.
	found, lost := r.search(scanner)
	if lost == nil {
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindLeaks, Leaks: &found})
	}
	lost = notKept(errors.Join(lost, r.closeHistory()))
	if err := r.judge(); err != nil {
		return errors.Join(lost, err)
	}
	if err := r.o.Report(r.outcome); err != nil || lost != nil {
		return errors.Join(lost, notKept(err))
	}
	return r.searchAgain(found, func() (history.Leaks, error) { return r.search(scanner) })
}

// recordSaid records the parties' own log lines, with every secret of the run blacked out: they may
// explain what nothing else does.
func (r *run) recordSaid(scanner *leak.Scanner) {
	all := r.logs.Said()
	for _, service := range slices.Sorted(maps.Keys(all)) {
		lines := all[service]
		for i := range lines {
			lines[i].Text = beginning(scanner.Mask(lines[i].Text))
		}
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindSaid, Service: service, Said: lines})
	}
}

// beginning is the part of a line that a report has room for, around the words that tell what went
// wrong.
func beginning(text string) string {
	const room = 300 // bytes
	if len(text) <= room {
		return text
	}
	return strings.ToValidUTF8(text[:room], "") + " …"
}

// recordHygiene records, for every consumer on the page, whether its log names the credential of a
// decision. It is called when no more lines come.
func (r *run) recordHygiene() {
	for _, c := range r.plan.Runbook.Consumers {
		if !r.logged(c.Name) {
			continue
		}
		says := r.logs.Hygiene(c.Name)
		r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindLogged, Service: c.Name, Logged: &says})
	}
}

// recordUnread records of which logs of an attached system nothing was understood. It is called when no more lines come.
func (r *run) recordUnread() {
	if r.attachment == nil || r.attachment.system == nil {
		return
	}
	for _, e := range r.attachment.system.Unread() {
		e.At = r.evidence.Offset()
		r.evidence.Record(e)
	}
}

// judge has the history judged.
func (r *run) judge() (err error) {
	if r.outcome.Limits, err = rules.Limits(r.outcome.History); err != nil {
		return err
	}
	r.outcome.Verdict = rules.Judge(r.outcome.History, r.outcome.Limits)
	return nil
}

// search looks for secrets in all that the run wrote, and in the arguments and
// labels of what it started.
func (r *run) search(scanner *leak.Scanner) (history.Leaks, error) {
	found := history.Leaks{Short: scanner.Short()}
	take := func(where string, hits, searched int64) {
		found.Searched += searched
		if hits > 0 {
			found.Hits += hits
			found.Where = append(found.Where, where)
		}
	}
	for _, spec := range r.started {
		line := strings.Join(spec.Command, " ")
		take("arguments of "+spec.Name, scanner.Count([]byte(line)), int64(len(line)))
	}
	if labelled, ok := r.runtime.(world.Labeller); ok {
		labels := strings.Join(slices.Sorted(maps.Values(labelled.Labels())), "\n")
		take("labels of the run", scanner.Count([]byte(labels)), int64(len(labels)))
	}
	err := filepath.WalkDir(r.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		hits, searched, err := scanner.File(path)
		if err != nil {
			return err
		}
		where, err := filepath.Rel(r.folder, path)
		take(filepath.ToSlash(where), hits, searched)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("search for leaks: %w", err)
	}
	return found, nil
}

// amend adds an event to a history that was closed.
func (r *run) amend(e history.Event) error {
	r.outcome.History.Events = append(r.outcome.History.Events, e)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("amend the history: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(r.folder, EventsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("amend the history: %w", err)
	}
	_, err = file.Write(append(line, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("amend the history: %w", err)
	}
	return nil
}

// closeHistory ends the recording. It may be called where there is none.
func (r *run) closeHistory() error {
	var err error
	if r.recorder != nil {
		h, closing := r.recorder.Close(listenerPatience)
		r.recorder, err = nil, closing
		if r.outcome != nil {
			r.outcome.History = h
		}
	}
	if r.events != nil {
		err = errors.Join(err, r.events.Close())
		r.events = nil
	}
	return err
}
