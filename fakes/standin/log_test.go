package standin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a reader that reads nothing until it is let.
type stuck struct {
	let  chan struct{}
	read bytes.Buffer
	err  error
}

func (s *stuck) Write(lines []byte) (int, error) {
	<-s.let
	if s.err != nil {
		return 0, s.err
	}
	return s.read.Write(lines)
}

func TestNobodyWaitsForTheReaderOfALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &stuck{let: make(chan struct{})}
		log := newPatientLog(reader)
		var want strings.Builder
		for i := range 10_000 {
			line := fmt.Sprintf("line %d\n", i)
			want.WriteString(line)
			if _, err := io.WriteString(log, line); err != nil {
				t.Fatal(err)
			}
		}
		close(reader.let)
		log.end()
		if reader.read.String() != want.String() {
			t.Errorf("read: got %d bytes, want all %d in their order", reader.read.Len(), want.Len())
		}
		if _, err := io.WriteString(log, "more\n"); !errors.Is(err, errLogEnded) {
			t.Errorf("a line after the end: got %v, want %v", err, errLogEnded)
		}
	})
}

// What nobody reads is bounded: a line waits then, and is not lost.
func TestLogThatNobodyReadsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &stuck{let: make(chan struct{})}
		log := newPatientLog(reader)
		line := []byte(strings.Repeat("x", mostUnread/4-1) + "\n")
		written := 0
		ended := make(chan error, 1)
		go func() { // it ends once the reader reads
			for range 12 {
				if _, err := log.Write(line); err != nil {
					ended <- err
					return
				}
				written++
			}
			ended <- nil
		}()
		synctest.Wait()
		if written == 0 || written > 8 {
			t.Errorf("written of 12 while nobody reads: got %d, want some, and no more than fit", written)
		}
		close(reader.let)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		log.end()
		if reader.read.Len() != 12*len(line) {
			t.Errorf("read: got %d bytes, want %d", reader.read.Len(), 12*len(line))
		}
	})
}

func TestEndOfALogThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &stuck{let: make(chan struct{})}
		log := newPatientLog(reader)
		fmt.Fprintln(log, "a line")
		begun := time.Now()
		log.end()
		if took := time.Since(begun); took != flushWithin {
			t.Errorf("it ended after %s, want %s", took, flushWithin)
		}
		close(reader.let)
	})
}

func TestReaderOfALogThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		reader := &stuck{let: make(chan struct{}), err: gone}
		close(reader.let)
		log := newPatientLog(reader)
		fmt.Fprintln(log, "a line")
		synctest.Wait()
		if _, err := fmt.Fprintln(log, "another"); !errors.Is(err, gone) {
			t.Errorf("got %v, want %v", err, gone)
		}
		log.end()
	})
}
