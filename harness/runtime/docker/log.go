package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

// logTries bounds how often in a row a log is opened that breaks off without a
// byte while its container runs on.
const logTries = 20

// logReader delivers the log of one container, each line once, over all of its lives.
type logReader struct {
	engine *engine
	id     string
	sink   func(line []byte)

	stdout, stderr stream
	mu             sync.Mutex
	cancel         context.CancelFunc // of the following under way
}

// stream cuts one of the two outputs into lines. A log that is opened again
// begins at its beginning: what was delivered before is passed over.
type stream struct {
	launch.Lines
	seen int64 // bytes that were delivered
	skip int64 // bytes still to be passed over
}

// Write takes more of the output; it never fails for what was delivered before.
func (s *stream) Write(p []byte) (int, error) {
	over := min(s.skip, int64(len(p)))
	s.skip -= over
	s.seen += int64(len(p)) - over
	if _, err := s.Lines.Write(p[over:]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// follow delivers what is new until the container ends, and says how it did.
func (r *logReader) follow() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.mu.Lock()
	r.cancel = cancel
	r.mu.Unlock()
	r.stdout.Deliver, r.stderr.Deliver = r.sink, r.sink
	defer func() {
		_ = r.stdout.Close() // Lines never fail
		_ = r.stderr.Close()
	}()
	for tries := 0; ; tries++ {
		before := r.stdout.seen + r.stderr.seen
		broken := r.readOnce(ctx)
		if r.stdout.seen+r.stderr.seen > before {
			tries = 0
		}
		found, err := r.engine.ContainerInspect(ctx, r.id, client.ContainerInspectOptions{})
		switch {
		case err != nil:
			return errors.Join(broken, fmt.Errorf("ask how it ended: %w", err))
		case !found.Container.State.Running:
			if found.Container.State.OOMKilled {
				return fmt.Errorf("exit status %d: out of memory", found.Container.State.ExitCode)
			}
			return launch.Exit(found.Container.State.ExitCode)
		case tries == logTries:
			return errors.Join(errors.New("it runs on, and its log cannot be read"), broken)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("its log was given up: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// readOnce reads the log until it ends or breaks off.
func (r *logReader) readOnce(ctx context.Context) error {
	log, err := r.engine.ContainerLogs(ctx, r.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return fmt.Errorf("open its log: %w", err)
	}
	defer log.Close()
	r.stdout.skip, r.stderr.skip = r.stdout.seen, r.stderr.seen
	if _, err := stdcopy.StdCopy(&r.stdout, &r.stderr, log); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read its log: %w", err)
	}
	return nil
}

// giveUp ends the following under way.
func (r *logReader) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
	}
}
