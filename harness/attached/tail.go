package attached

import (
	"bufio"
	"context"
	"io"
	"os"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// mostRotated is how many files that were moved away are read on beside the present one.
const mostRotated = 8

// logFile is a log, or one that it was before it was rotated, read to its end so far.
type logFile struct {
	file   *os.File
	reader *bufio.Reader
	rest   []byte // of a line that has no end yet
}

func newLogFile(file *os.File) *logFile { return &logFile{file: file, reader: bufio.NewReader(file)} }

// read passes on the lines that are there.
func (l *logFile) read(line func([]byte)) {
	for {
		part, err := l.reader.ReadBytes('\n')
		l.rest = append(l.rest, part...)
		if err != nil {
			return
		}
		line(slices.Clone(l.rest[:len(l.rest)-1]))
		l.rest = l.rest[:0]
	}
}

// tail passes on the lines written to a file, and to a file that replaces it. One that was renamed is read on: its
// program goes on writing there until it is told to open its log anew, as logrotate does after the renaming. It reads
// until ctx ends, and then for as long as lines were late before.
func tail(ctx context.Context, path string, file *os.File, late func() time.Duration, line func([]byte)) {
	logs := []*logFile{newLogFile(file)}
	defer func() {
		for _, l := range logs {
			_ = l.file.Close()
		}
	}()
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	ends, ended := ctx.Done(), time.Time{}
	for {
		for _, l := range logs {
			l.read(line)
		}
		if another, truncated := replaced(path, logs[len(logs)-1].file); another != nil {
			if left := len(logs) - mostRotated; truncated {
				_ = logs[len(logs)-1].file.Close()
				logs = logs[:len(logs)-1]
			} else if left > 0 {
				_ = logs[0].file.Close()
				logs = logs[left:]
			}
			logs = append(logs, newLogFile(another))
			continue
		}
		if !ended.IsZero() && time.Since(ended) >= late() {
			return
		}
		select {
		case <-ends:
			ends, ended = nil, time.Now()
		case <-tick.C:
		}
	}
}

// replaced is the file that took the place of another, or the same one from its beginning where it was
// truncated; nil: neither happened.
func replaced(path string, file *os.File) (another *os.File, truncated bool) {
	is, errIs := os.Stat(path)
	was, errWas := file.Stat()
	at, errAt := file.Seek(0, io.SeekCurrent)
	if errIs != nil || errWas != nil || errAt != nil {
		return nil, false
	}
	if truncated = os.SameFile(is, was); truncated && is.Size() >= at {
		return nil, false
	}
	another, err := source.Open(path)
	if err != nil {
		return nil, false
	}
	return another, truncated
}
