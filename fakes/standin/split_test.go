package standin

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// refusing is a listener that has no connection, for one reason after the other;
// then it waits to be closed.
type refusing struct {
	net.Listener
	errs   []error
	asked  []time.Time
	closed chan struct{}
}

func (r *refusing) Accept() (net.Conn, error) {
	r.asked = append(r.asked, time.Now())
	if len(r.errs) == 0 {
		<-r.closed
		return nil, net.ErrClosed
	}
	err := r.errs[0]
	r.errs = r.errs[1:]
	return nil, err
}

func (r *refusing) Close() error { close(r.closed); return nil }

// Without a descriptor to spare nothing can be accepted for a while: that is no
// end, and no reason to keep a processor busy.
func TestSplitWaitsForDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", syscall.EMFILE)}
		listener := &refusing{closed: make(chan struct{}), errs: []error{none, none, none, none, none, none, none, none, none, none}}
		s := NewSplit(listener, history.NewLogger(io.Discard, "db"), 0, nil, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case err := <-s.failed:
			t.Errorf("got %v, want it to go on", err)
		default:
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if len(listener.asked) != 11 {
			t.Fatalf("asked %d times, want 11", len(listener.asked))
		}
		first, last := listener.asked[1].Sub(listener.asked[0]), listener.asked[10].Sub(listener.asked[9])
		if first != firstAcceptWait || last != lastAcceptWait {
			t.Errorf("waited %s at first and %s at last, want %s and %s", first, last, firstAcceptWait, lastAcceptWait)
		}
	})
}

// A client that waits to be spoken to is handed on after a silence, with nothing read
// of it, and one of HTTP is not, which takes its time afterwards.
func TestSplitHearsSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string)
	s := NewSplit(listener, history.NewLogger(io.Discard, "db"), 10*time.Millisecond, func([]byte) bool { return false }, func(_ context.Context, conn *Conn) {
		_, _ = io.WriteString(conn, "welcome\n")
		said, _ := io.ReadAll(conn)
		heard <- string(said)
	})
	defer s.Close()
	silent, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	greeting := make([]byte, len("welcome\n"))
	if _, err := io.ReadFull(silent, greeting); err != nil || string(greeting) != "welcome\n" {
		t.Fatalf("who says nothing: got %q, %v, want to be greeted", greeting, err)
	}
	_, err = io.WriteString(silent, "hello")
	if err := errors.Join(err, silent.Close()); err != nil {
		t.Fatal(err)
	}
	if said := <-heard; said != "hello" {
		t.Errorf("got %q of it, want all that it said", said)
	}
	web, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	if _, err := io.WriteString(web, "G"); err != nil {
		t.Fatal(err)
	}
	conn, err := s.Accept()
	if err != nil {
		t.Fatalf("who speaks at once: %v", err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond) // longer than the silence, which is over for it
		_, _ = io.WriteString(web, "ET")
	}()
	word := make([]byte, 3)
	if _, err := io.ReadFull(conn, word); err != nil || string(word) != "GET" {
		t.Errorf("got %q, %v, want GET and no deadline", word, err)
	}
}

// What will not pass ends the listening, and Accept says why.
func TestSplitEnds(t *testing.T) {
	broken := errors.New("the socket is broken")
	listener := &refusing{closed: make(chan struct{}), errs: []error{broken}}
	s := NewSplit(listener, history.NewLogger(io.Discard, "db"), 0, nil, nil)
	if _, err := s.Accept(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Accept(); err == nil {
		t.Error("after the close: got no error")
	}
}

// Close ends the connections of the other protocol, and waits for their handlers.
func TestSplitCloseEndsTheOther(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan struct{}), false
	s := NewSplit(listener, history.NewLogger(io.Discard, "db"), 0, func(first []byte) bool { return first[0] == '*' }, func(ctx context.Context, conn *Conn) {
		close(begun)
		_, err := io.Copy(io.Discard, conn)
		ended = err != nil && ctx.Err() != nil
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "*1\r\n"); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := s.Close(); err != nil || !ended {
		t.Errorf("close: got %v, and the handler ended %t; want it ended", err, ended)
	}
}
