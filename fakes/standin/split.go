package standin

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// The waits after an address that takes no connection for the time being, as
// net/http.Server has them: doubled from the first to the last.
const (
	firstAcceptWait = 5 * time.Millisecond
	lastAcceptWait  = time.Second
)

// Split is a listener for HTTP on an address where something else is spoken too.
// What begins like that is handed to its handler.
type Split struct {
	net.Listener
	other   func(first []byte) bool
	silence time.Duration
	handle  func(context.Context, *Conn)
	log     *slog.Logger

	open   context.Context // until Close
	end    context.CancelFunc
	web    chan net.Conn
	failed chan error
	once   sync.Once
	wait   sync.WaitGroup
}

// Silence is for how long a client that waits to be spoken to is waited for: long
// enough for one of HTTP on a busy machine, and short beside any deadline of a login.
const Silence = 100 * time.Millisecond

// NewSplit takes over a listener. Other is shown what was read first of a
// connection, one byte at least. A client that says nothing for as long as silence is
// handed to the handler too: MySQL's server speaks first. 0 is for protocols in which
// the client does. The context of a handler ends with Close, which ends its
// connection too, and waits for it.
func NewSplit(listener net.Listener, log *slog.Logger, silence time.Duration, other func(first []byte) bool, handle func(context.Context, *Conn)) *Split {
	s := &Split{Listener: listener, other: other, silence: silence, handle: handle, log: log, web: make(chan net.Conn), failed: make(chan error, 1)}
	s.open, s.end = context.WithCancel(context.Background())
	s.wait.Go(s.accept)
	return s
}

// temporary is an error that says of itself that it may pass.
type temporary interface {
	error
	Temporary() bool
}

// accept takes connections until Close, or until there will be none any more.
// Where there are none for the time being, as without a descriptor to spare, it
// tries again, less and less often.
func (s *Split) accept() {
	wait := firstAcceptWait
	for {
		conn, err := s.Listener.Accept()
		if err == nil {
			wait = firstAcceptWait
			s.wait.Go(func() { s.sort(conn) })
			continue
		}
		if passes, says := errors.AsType[temporary](err); s.open.Err() != nil || !says || !passes.Temporary() {
			s.failed <- err
			return
		}
		s.log.Warn("accept", "detail", err.Error(), "again_in_ms", wait.Milliseconds())
		select {
		case <-time.After(wait):
		case <-s.open.Done():
		}
		wait = min(2*wait, lastAcceptWait)
	}
}

// sort finds out whom a connection is for by what is said first on it.
func (s *Split) sort(conn net.Conn) {
	stop := context.AfterFunc(s.open, func() { conn.Close() })
	defer stop()
	begun := &Conn{Conn: conn, reader: bufio.NewReader(conn)}
	silent, err := s.listen(begun)
	if err != nil {
		conn.Close()
		return
	}
	first, _ := begun.reader.Peek(begun.reader.Buffered()) // all of it is there
	if silent || s.other(first) {
		s.handle(s.open, begun)
		conn.Close()
		return
	}
	select {
	case s.web <- begun:
	case <-s.open.Done():
		conn.Close()
	}
}

// listen waits until a client says something, and reports whether it waits to be
// spoken to.
func (s *Split) listen(conn *Conn) (silent bool, err error) {
	if s.silence > 0 {
		if err := conn.SetReadDeadline(time.Now().Add(s.silence)); err != nil {
			return false, err
		}
	}
	_, err = conn.reader.Peek(1)
	if silent = s.silence > 0 && errors.Is(err, os.ErrDeadlineExceeded); silent {
		err = nil
	}
	if err == nil && s.silence > 0 {
		err = conn.SetReadDeadline(time.Time{})
	}
	return silent, err
}

// Accept returns the next connection that speaks HTTP.
func (s *Split) Accept() (net.Conn, error) {
	select {
	case conn := <-s.web:
		return conn, nil
	case err := <-s.failed:
		return nil, err
	case <-s.open.Done():
		return nil, net.ErrClosed
	}
}

// Close ends the listening and all connections that are not HTTP's.
func (s *Split) Close() (err error) {
	s.once.Do(func() {
		s.end()
		if err = s.Listener.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
		s.wait.Wait()
	})
	return err
}

// Conn is a connection of which the beginning was looked at.
type Conn struct {
	net.Conn
	reader *bufio.Reader
}

// Read reads from the beginning on.
func (c *Conn) Read(p []byte) (int, error) { return c.reader.Read(p) }
