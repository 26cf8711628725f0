package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// History is what a run left: its events in the order in which they were recorded.
type History struct {
	Events []Event
	// File is where it was read from; empty: not from a file.
	File string
}

// maxLine bounds one line of events.jsonl; the longest are those of plans.
const maxLine = 16 << 20

// Read reads a history as a Recorder wrote it, one JSON object a line, and
// checks it whole: whoever reads a history finds the parts that its events need.
// One of hours is folded while it is read, as it was in the run.
// The error is a *Damaged with the line at fault, or that of r. A last line that
// was cut off, as a killed run leaves it, is an error too.
func Read(r io.Reader) (*History, error) { return read(r, false) }

// ReadFile is Read of a file that is open, whose path the error has.
func ReadFile(r io.Reader, path string) (*History, error) { return readFile(r, path, false) }

// ReadCutOff is ReadFile of a run that was killed: what may stand on its last line
// without an end of the line is left out, unless it is whole.
func ReadCutOff(r io.Reader, path string) (*History, error) { return readFile(r, path, true) }

func readFile(r io.Reader, path string, cutOff bool) (*History, error) {
	h, err := read(r, cutOff)
	if damaged, ok := errors.AsType[*Damaged](err); ok {
		damaged.File = path
		return nil, damaged
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h.File = path
	return h, nil
}

func read(r io.Reader, cutOff bool) (*History, error) {
	h := growing{foldLimits: longRuns}
	lines := bufio.NewReaderSize(r, 64<<10)
	for number := 1; ; number++ {
		line, ended, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			if len(h.events) == 0 {
				return nil, &Damaged{Err: errors.New("the history is empty")}
			}
			return &History{Events: h.events}, nil
		case errors.Is(err, bufio.ErrTooLong):
			return nil, &Damaged{Line: number, Err: fmt.Errorf("it is longer than %d MiB", maxLine>>20)}
		case err != nil:
			return nil, fmt.Errorf("read history: %w", err)
		case !ended && cutOff && !json.Valid(line):
			continue
		}
		e, err := parseEvent(line)
		if err != nil && !ended {
			err = fmt.Errorf("the line is cut off, as a killed run leaves it: %w", err)
		}
		if err != nil {
			return nil, &Damaged{Line: number, Err: err}
		}
		h.add(e)
	}
}

// readLine reads a line without its end; ended is false for a last one that has
// none. The error is io.EOF behind the last line.
func readLine(r *bufio.Reader) (line []byte, ended bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, false, bufio.ErrTooLong
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, false, nil
		default:
			return nil, false, err
		}
	}
}

// parseEvent reads an event and checks it.
func parseEvent(line []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	return e, e.check()
}
