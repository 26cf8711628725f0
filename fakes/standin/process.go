package standin

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

// Service runs a stand-in until ctx ends, and then returns nil. It takes over
// the listener, reads its configuration as JSON and writes its log to log, one
// Write a line. Every service answers GET /healthz (200 when it is ready, else
// 503 and what it waits for), GET /rehearse/status (its counters), and POST
// /rehearse/quiesce, by which it ends what it does unasked.
type Service func(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error

// The environment variables of a process that is a stand-in.
const (
	// ListenFDVariable is the number of an inherited file descriptor that
	// listens already, so that the address is known before the process starts.
	ListenFDVariable = "REHEARSE_LISTEN_FD"
	// ListenVariable is the address to listen on where no descriptor was
	// inherited; DefaultListen where it is empty.
	ListenVariable = "REHEARSE_LISTEN"
	// LifelineVariable set to "stdin" says that the process is to end when its
	// standard input does: whoever started it is gone.
	LifelineVariable = "REHEARSE_LIFELINE"
)

// DefaultListen is where a stand-in listens unless it is told otherwise.
const DefaultListen = ":8080"

// Process is the surroundings in which a stand-in runs.
type Process struct {
	Getenv func(string) string
	Stdin  io.Reader
	Stdout io.Writer
}

// Run serves s until ctx or the lifeline ends. The error says what could not
// be done; to be ended is none.
func (p Process) Run(ctx context.Context, s Service, config []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	switch lifeline := p.Getenv(LifelineVariable); lifeline {
	case "":
	case "stdin":
		// A read of stdin cannot be called off: this goroutine ends with the
		// process, which Run's return ends too.
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, p.Stdin) // an error means the same as the end
		}()
	default:
		return fmt.Errorf("read %s: %q is not known, only stdin is", LifelineVariable, lifeline)
	}
	listener, err := p.listen(ctx)
	if err != nil {
		return err
	}
	defer listener.Close() // for a service that gave up before it served
	log := newPatientLog(p.Stdout)
	defer log.end()
	return s(ctx, config, listener, log)
}

func (p Process) listen(ctx context.Context) (net.Listener, error) {
	inherited := p.Getenv(ListenFDVariable)
	if inherited == "" {
		address := p.Getenv(ListenVariable)
		if address == "" {
			address = DefaultListen
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		return listener, nil
	}
	fd, err := strconv.ParseUint(inherited, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", ListenFDVariable, err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	if file == nil {
		return nil, fmt.Errorf("listen on inherited descriptor %d: it is not open", fd)
	}
	defer file.Close() // FileListener has a duplicate of its own
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("listen on inherited descriptor %d: %w", fd, err)
	}
	return listener, nil
}
