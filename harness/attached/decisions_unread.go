package attached

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/leak"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// reading is how far a log of decisions was understood. What nobody understands is told: that nobody presented a
// credential would be said of a log of another format, of another server, or of one that does not log logins.
type reading struct {
	lines, told, ours int64     // read; those that tell of a decision; those about a credential of this run
	first             string    // the first line
	expects           time.Time // by when the log is to tell of a login by the run itself; zero: of none yet
	shown             bool      // the run was let in
	isReported        bool
}

// manyLines is from how many lines on a log that tells nothing is reported at once.
const manyLines = 20

// readings are those of the logs that have lines about decisions; Redis and NATS are asked instead.
func readings(all map[string]scenario.Decisions) map[string]*reading {
	read := map[string]*reading{}
	for name, told := range all {
		if told.Format != scenario.RedisDecisions && told.Format != scenario.NATSDecisions {
			read[name] = &reading{}
		}
	}
	return read
}

// reads counts a line.
func (d *decisionReader) reads(service string, raw []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, text := d.read[service], strings.TrimSpace(string(raw))
	if r == nil || text == "" {
		return
	}
	if r.lines++; r.lines == 1 {
		r.first = text
	}
}

// understands counts a line that tells of a decision, about a credential of this run or another.
func (d *decisionReader) understands(service string, ours bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.read[service]
	if r == nil {
		return
	}
	r.told++
	if ours {
		r.ours++
	}
}

// letIn says that a validator has let the run itself in, which its log is to tell of.
func (d *decisionReader) letIn(service string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.read[service]; r != nil && !r.shown {
		r.shown, r.expects = true, now.Add(isTold)
	}
}

// unread are events about the logs that tell nothing of the credentials of this run, or do now.
func (d *decisionReader) unread(now time.Time, atEnd bool) (told []history.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, service := range slices.Sorted(maps.Keys(d.read)) {
		r := d.read[service]
		missed := r.shown && now.After(r.expects)
		switch {
		case r.ours > 0 && r.isReported:
			r.isReported = false
			told = append(told, history.Event{Kind: history.KindUnread, Service: service})
		case r.ours > 0:
		case atEnd, !r.isReported && (missed || r.lines >= manyLines && r.told == 0):
			r.isReported = true
			told = append(told, history.Event{Kind: history.KindUnread, Service: service, Count: r.lines, Detail: d.whyUnread(service, r)})
		}
	}
	return told
}

// whyUnread says what speaks against a log. d.mu is held.
func (d *decisionReader) whyUnread(service string, r *reading) string {
	of := d.system.attach.Decisions[service]
	file := "the log of " + service
	if of.File != "" {
		file = of.File
	}
	lines, were := plan.Counted(r.lines, "line"), "were"
	if r.lines == 1 {
		were = "was"
	}
	how := "its accepted and refused match none of them"
	if of.Format != "" {
		how = "format: " + of.Format + " does not match"
	}
	why := ""
	switch {
	case r.lines == 0:
		why = fmt.Sprintf("nothing was written to %s since the run reads it", file)
	case r.told == 0:
		why = fmt.Sprintf("%s of %s %s read and none was understood as a decision: %s; for instance: %s", lines, file, were, how, kindOfLine(d.system.Secrets(), r.first))
	default:
		why = fmt.Sprintf("%s of %s %s read, %d of them about decisions, and none of a credential of this run", lines, file, were, r.told)
	}
	if r.shown && (r.lines == 0 || r.told > 0) {
		why += fmt.Sprintf("; %s has let the run itself in, so its log is another one, or does not have logins", service)
	}
	return why
}

// kindOfLine is a line of another's log, for a report: without secrets and what may be one, and without what varies, as
// numbers and addresses.
func kindOfLine(secrets []string, line string) string {
	text := plaintext.KindOf(plaintext.Line(withoutSecrets(leak.New(secrets), line)))
	if letters := []rune(text); len(letters) > lastRoom {
		text = string(letters[:lastRoom]) + " …"
	}
	return text
}

// Unread are events about the logs of which nothing was understood until now, the end of the run.
func (s *System) Unread() []history.Event { return s.seen.unread(time.Now(), true) }
