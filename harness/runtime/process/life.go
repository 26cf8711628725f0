package process

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

const (
	// goneWithin bounds the wait for a process that was killed.
	goneWithin = 5 * time.Second
	// drainWithin bounds the wait for the end of a log that a grandchild holds
	// open after its parent has ended.
	drainWithin = 2 * time.Second
)

// life is one process of a service, from its start until it was waited for.
type life struct {
	*launch.Life
	service  *service
	cmd      *exec.Cmd
	lifeline io.Closer // the other end of its standard input

	asked atomic.Bool // to end in order

	mu     sync.Mutex
	socket *net.TCPListener // this process's copy of its listening socket, until refuse or takeSocket
}

// takeSocket hands on the listening socket; nil: there is none to hand on.
func (l *life) takeSocket() *net.TCPListener {
	l.mu.Lock()
	defer l.mu.Unlock()
	socket := l.socket
	l.socket = nil
	return socket
}

// refuse gives up this process's copy of the socket: once the process has ended
// nobody listens, and connections are refused.
func (l *life) refuse() {
	if socket := l.takeSocket(); socket != nil {
		_ = socket.Close() // it was never served from here
	}
}

// attend reads the log to its end and waits for the process; nobody else does.
func (l *life) attend(log *os.File) {
	name := l.service.spec.Name
	o := l.service.runtime.o
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := &launch.Lines{Deliver: func(line []byte) { o.Sink(name, line) }}
		// A failure to read is the end of the log: there is nobody to tell.
		_, _ = io.Copy(lines, log)
		_ = lines.Close()
	}()
	err := l.cmd.Wait()
	l.refuse()
	err = errors.Join(err, l.endRest())
	_ = log.SetReadDeadline(time.Now().Add(drainWithin)) // no deadline is a longer wait, not a loss
	<-read
	_ = log.Close()
	if err == nil {
		err = launch.Exit(0)
	}
	if dropped := o.Record.DropProcess(l.cmd.Process.Pid); dropped != nil {
		err = errors.Join(err, dropped)
	}
	l.End(err, func(err error) { o.OnExit(name, err) })
}

// endRest ends what the process has started and left behind, which would hold
// its port; one that was asked to end had that time to end those.
func (l *life) endRest() error {
	patience := time.Duration(0)
	if l.asked.Load() {
		patience = launch.Grace
	}
	began := time.Now()
	killGroup(l.cmd.Process.Pid, patience)
	mark := l.service.runtime.o.Record.Mark(l.service.spec.Name)
	_, err := leftover.EndMarked(context.Background(), mark, patience-time.Since(began))
	return err
}

// kill ends it now, with all that it has started, and waits for that. A frozen
// process dies of it too.
func (l *life) kill(ctx context.Context) error {
	l.Killing()
	l.refuse()
	l.asked.Store(false)
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return l.Wait(ctx, goneWithin)
}

// stop asks it to end and kills it when it does not. The context ends the
// asking early, never the killing.
func (l *life) stop(ctx context.Context) error {
	l.Stopping()
	l.refuse()
	_ = l.thaw() // what stays frozen is killed in the end
	l.asked.Store(true)
	if l.askToEnd() != nil {
		_ = l.lifeline.Close() // the only way to ask on Windows
	}
	if l.Wait(ctx, launch.Grace) == nil {
		return nil
	}
	return l.kill(context.WithoutCancel(ctx))
}
