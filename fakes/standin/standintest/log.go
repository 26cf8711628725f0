package standintest

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Log is a log that tests can read while it is written.
type Log struct {
	t      *testing.T
	mu     sync.Mutex
	text   bytes.Buffer
	secret []string
}

// NewLog is one for a test.
func NewLog(t *testing.T) *Log { return &Log{t: t} }

// Write takes one line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		l.t.Errorf("one write of the log: got %q, want exactly one line", p)
	}
	return l.text.Write(p)
}

// Forbid names values that must not be in the log when the test ends.
func (l *Log) Forbid(values ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secret = append(l.secret, values...)
}

// Lines are those with a message, in order.
func (l *Log) Lines(message string) []history.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []history.Line
	for line := range bytes.Lines(l.text.Bytes()) {
		parsed, ok := history.ParseLine(bytes.TrimSpace(line))
		if !ok {
			l.t.Errorf("log line cannot be parsed: %s", line)
		}
		if parsed.Message == message {
			found = append(found, parsed)
		}
	}
	return found
}

// Identifiers lists those of all lines with a message, in order.
func (l *Log) Identifiers(message string) []string {
	var ids []string
	for _, line := range l.Lines(message) {
		ids = append(ids, line.Identifier)
	}
	return ids
}

// Check fails the test where a forbidden value is in the log.
func (l *Log) Check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range l.secret {
		if strings.Contains(l.text.String(), secret) {
			l.t.Errorf("the log holds a secret value: %s…", secret[:min(6, len(secret))])
		}
	}
}
