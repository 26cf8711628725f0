package fakes

import (
	"bufio"
	"errors"
	"net"
	"sync"
)

// split is a listener for HTTP on an address where another protocol is spoken
// too. What begins in the other one is handed to its handler.
type split struct {
	net.Listener
	other  func(first byte) bool
	handle func(net.Conn)

	web    chan net.Conn
	failed chan error
	done   chan struct{}
	once   sync.Once
	wait   sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool // nil: closed
}

// newSplit takes over a listener. Its Close ends the connections of the other
// protocol, and waits for their handlers.
func newSplit(listener net.Listener, other func(first byte) bool, handle func(net.Conn)) *split {
	s := &split{
		Listener: listener, other: other, handle: handle,
		web: make(chan net.Conn), failed: make(chan error, 1), done: make(chan struct{}), open: map[net.Conn]bool{},
	}
	s.wait.Go(s.accept)
	return s
}

func (s *split) accept() {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			s.failed <- err
			return
		}
		s.wait.Go(func() { s.sort(conn) })
	}
}

// sort finds out what a connection speaks by its first byte.
func (s *split) sort(conn net.Conn) {
	if !s.keep(conn) {
		_ = conn.Close() // nobody has said anything on it
		return
	}
	peeked := &peekedConn{Conn: conn, reader: bufio.NewReader(conn)}
	first, err := peeked.reader.Peek(1)
	switch {
	case err != nil:
		s.drop(conn)
	case s.other(first[0]):
		s.handle(peeked)
		s.drop(conn)
	default:
		select {
		case s.web <- peeked:
			s.release(conn)
		case <-s.done:
			s.drop(conn)
		}
	}
}

// keep remembers a connection, so that Close can end it.
func (s *split) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return false
	}
	s.open[conn] = true
	return true
}

func (s *split) release(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

func (s *split) drop(conn net.Conn) {
	s.release(conn)
	_ = conn.Close() // who was on it has gone, or is to go
}

// Accept returns the next connection that speaks HTTP.
func (s *split) Accept() (net.Conn, error) {
	select {
	case conn := <-s.web:
		return conn, nil
	case err := <-s.failed:
		return nil, err
	case <-s.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listening and all connections that are not HTTP's.
func (s *split) Close() (err error) {
	s.once.Do(func() {
		close(s.done)
		if err = s.Listener.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
		s.mu.Lock()
		open := s.open
		s.open = nil
		s.mu.Unlock()
		for conn := range open {
			_ = conn.Close() // whoever handles it is told by its reads
		}
		s.wait.Wait()
	})
	return err
}

// peekedConn is a connection of which the first bytes were looked at.
type peekedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *peekedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
