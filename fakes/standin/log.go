package standin

import (
	"errors"
	"io"
	"sync"
	"time"
)

const (
	// mostUnread bounds what is kept of a log that nobody reads: some minutes of a
	// busy stand-in's. Beyond it a line waits, since none may be lost.
	mostUnread = 16 << 20
	// flushWithin bounds how long the end of a stand-in waits for its log's reader.
	flushWithin = 5 * time.Second
)

// patientLog is a log whose reader may be slow, as a container engine is on a
// busy machine: who writes a line does not wait for it, so that what is measured
// of a stand-in is not how its log is read. The lines keep their order, and
// several may be written at once.
type patientLog struct {
	out     io.Writer
	written chan struct{} // closed when the last is

	mu      sync.Mutex
	changed sync.Cond // what follows has changed; L is &mu
	unread  []byte
	ended   bool
	err     error // of the last write
}

// newPatientLog is one that has to be ended.
func newPatientLog(out io.Writer) *patientLog {
	l := &patientLog{out: out, written: make(chan struct{})}
	l.changed.L = &l.mu
	go l.write() // it ends with end, or with the write that it is in
	return l
}

// Write takes a line. Its error is that of an earlier one.
func (l *patientLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.unread) >= mostUnread && l.err == nil && !l.ended {
		l.changed.Wait()
	}
	if l.err != nil {
		return 0, l.err
	}
	if l.ended {
		return 0, errLogEnded
	}
	l.unread = append(l.unread, line...)
	l.changed.Broadcast()
	return len(line), nil
}

var errLogEnded = errors.New("the log has ended")

// write writes what there is until the log has ended.
func (l *patientLog) write() {
	defer close(l.written)
	var lines []byte
	for {
		l.mu.Lock()
		for len(l.unread) == 0 && !l.ended && l.err == nil {
			l.changed.Wait()
		}
		if len(l.unread) == 0 || l.err != nil {
			l.mu.Unlock()
			return
		}
		lines, l.unread = l.unread, lines[:0]
		l.mu.Unlock()
		_, err := l.out.Write(lines)
		l.mu.Lock()
		l.err = err
		l.changed.Broadcast()
		l.mu.Unlock()
	}
}

// end returns when everything is written, or when the reader takes too long.
func (l *patientLog) end() {
	l.mu.Lock()
	l.ended = true
	l.changed.Broadcast()
	l.mu.Unlock()
	enough := time.NewTimer(flushWithin)
	defer enough.Stop()
	select {
	case <-l.written:
	case <-enough.C:
	}
}
