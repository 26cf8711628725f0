package console

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// JSON is a listener that prints every event as one line of JSON, in the form
// of events.jsonl, and what the run came to as the last. Make one with NewJSON.
type JSON struct {
	mu      sync.Mutex
	encoder *json.Encoder
	now     history.Offset
	err     error
	closed  bool
}

var _ history.Listener = (*JSON)(nil)

// NewJSON is a listener that writes to w.
func NewJSON(w io.Writer) *JSON {
	e := json.NewEncoder(plaintext.JSON(w))
	e.SetEscapeHTML(false)
	return &JSON{encoder: e}
}

// Event writes an event.
func (j *JSON) Event(e history.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = max(j.now, e.At)
	j.write(Line{Event: e})
}

// Dropped writes an event of kind trouble whose count is how many are missing
// here; events.jsonl has them.
func (j *JSON) Dropped(n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(Line{Event: history.Event{At: j.now, Kind: history.KindTrouble, Count: n, Detail: "events dropped: their reader was too slow"}})
}

func (j *JSON) write(l Line) {
	if j.err != nil || j.closed {
		return
	}
	if err := j.encoder.Encode(l); err != nil {
		j.err = fmt.Errorf("write event %s to the console: %w", l.Kind, err)
	}
}

// Close ends the printing: later events are ignored. It returns the first
// error of writing.
func (j *JSON) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	return j.err
}
