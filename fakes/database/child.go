package database

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/server"
)

const (
	// childStarts bounds the wait until a server that was started answers.
	childStarts = 60 * time.Second
	// childEnds bounds an orderly end, after which it is killed.
	childEnds = 5 * time.Second
	childPoll = 50 * time.Millisecond
	// maxLogLine is how much of a line of its log is read.
	maxLogLine = 64 << 10
)

// child is a server that runs as a child of a stand-in, and ends with it.
type child struct {
	folder  string // what it writes; gone when it ends
	address string // where it listens, for this process only
	cmd     *exec.Cmd
	ends    os.Signal      // with which it is asked to end, by the system too where this process is gone; nil: os.Interrupt
	read    sync.WaitGroup // of its log
	gone    chan struct{}
	err     error  // of its end; after gone
	last    string // line of its log, or the first that says that it is an error; after gone
}

// raise makes a folder for a server of a kind and finds its program, unless one
// is named, and a user to run it as; then begin starts it. Where there is such a
// folder already it is used: one that was killed goes on with what it had. After
// an error nothing is left of it.
func (c *child) raise(kind, program, folder string, begin func(program string, user *identity) error) (err error) {
	if program == "" {
		if program, err = server.Programs[kind].Find(); err != nil {
			return err
		}
	}
	c.folder = filepath.Join(os.TempDir(), folder)
	defer func() {
		if err != nil {
			err = errors.Join(err, server.RemoveData(c.folder))
		}
	}()
	if err := os.Mkdir(c.folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a folder for the server: %w", err)
	}
	user, err := unprivileged(kind, c.folder)
	if err != nil {
		return err
	}
	return begin(program, user)
}

// findAddress finds a free port for the server, which must take it soon.
func (c *child) findAddress() (port string, err error) {
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	c.address = free.Addr().String()
	if err := free.Close(); err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err = net.SplitHostPort(c.address)
	return port, err
}

// start starts the server and hands each line of what from says it writes on.
func (c *child) start(from func() (io.ReadCloser, error), line func(string)) error {
	out, err := from()
	if err != nil {
		return fmt.Errorf("read the server's log: %w", err)
	}
	if c.ends != nil {
		endWithParent(c.cmd, c.ends)
	}
	c.gone = make(chan struct{})
	started := make(chan error)
	go func() {
		// It ends when the thread does that started it: with this process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			<-c.gone
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", c.cmd.Path, err)
	}
	var reading error
	c.read.Go(func() {
		reading = eachLine(out, func(text string) {
			if !strings.Contains(c.last, "[ERROR]") { // after which MariaDB says that it ends
				c.last = text
			}
			line(text)
		})
	})
	go func() {
		defer close(c.gone)
		c.read.Wait() // Wait closes the pipe
		c.err = errors.Join(reading, c.cmd.Wait())
	}()
	return nil
}

// eachLine hands on each line of a log without its end. What is longer than
// maxLogLine is cut there: one long line must not end the reading of a log from
// which decisions are read.
func eachLine(log io.Reader, line func(string)) error {
	lines := bufio.NewReaderSize(log, maxLogLine)
	for {
		text, err := lines.ReadSlice('\n')
		if len(text) > 0 {
			line(strings.TrimRight(string(text), "\r\n"))
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long one
			_, err = lines.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the server's log: %w", err)
		}
	}
}

// attend says when the server answers and which it is, and returns when ctx
// ends; that the server ends before is an error.
func (c *child) attend(ctx context.Context, ask func(context.Context) (version string, err error), ready func(version string)) error {
	version, err := c.awaitAnswer(ctx, ask)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	ready(version)
	select {
	case <-ctx.Done():
		return nil
	case <-c.gone:
		return fmt.Errorf("the server ended: %w", c.ended())
	}
}

func (c *child) ended() error {
	if c.err == nil {
		return fmt.Errorf("by itself; its last words: %q", c.last)
	}
	return fmt.Errorf("%w; its last words: %q", c.err, c.last)
}

// awaitAnswer asks for the version until there is one.
func (c *child) awaitAnswer(ctx context.Context, ask func(context.Context) (string, error)) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, childStarts)
	defer cancel()
	tick := time.NewTicker(childPoll)
	defer tick.Stop()
	for {
		if version, err = ask(ctx); err == nil {
			return version, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the server: %w; last seen: %w", ctx.Err(), err)
		case <-c.gone:
			return "", fmt.Errorf("wait for the server: it ended: %w; last seen: %w", c.ended(), err)
		case <-tick.C:
		}
	}
}

// stop ends the server at once, in order where that is quick, and removes its folder.
// Where nobody can be asked to end, as on Windows, it is killed.
func (c *child) stop() error {
	patience, ends := childEnds, c.ends
	if ends == nil {
		ends = os.Interrupt
	}
	if err := c.cmd.Process.Signal(ends); err != nil && !errors.Is(err, os.ErrProcessDone) {
		patience = 0
	}
	select {
	case <-c.gone:
	case <-time.After(patience):
		if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("kill the server: %w", err)
		}
		<-c.gone
	}
	if err := server.RemoveData(c.folder); err != nil {
		return fmt.Errorf("remove what the server wrote: %w", err)
	}
	return nil
}
