package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

const (
	// writeTimeout is longer than the minute for which keyfunc may hold a
	// request back.
	writeTimeout  = 2 * time.Minute
	readTimeout   = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	shutdownGrace = 2 * time.Second
	// handOverFor is how long a service that is being replaced still answers:
	// long enough for every connection in use to see one more answer, and for
	// clients to give up those that they do not use.
	handOverFor = 750 * time.Millisecond
	// MaxDocument bounds what is read of any document: key sets, answers.
	MaxDocument = 1 << 20
)

// controlPaths are those at which a stand-in takes what only the run may order.
var controlPaths = []string{contract.QuiescePath, contract.RenewPath, contract.EventsPath}

// ServeHTTP serves until ctx ends, running the background tasks beside it. The
// first of them to fail ends the others and is returned. The paths by which it is
// controlled ask for the token of contract.WithControl.
func ServeHTTP(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger, background ...func(context.Context) error) error {
	server := &http.Server{
		Handler:           contract.Guard(contract.ControlOf(ctx), handler, controlPaths...),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ConnContext:       withCaller,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		if h, ok := handler.(*listenerHandover); ok {
			h.begin()
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
			return server.Close()
		} else if err != nil {
			return fmt.Errorf("shut down: %w", err)
		}
		return nil
	})
	for _, task := range background {
		group.Go(func() error { return task(ctx) })
	}
	return group.Wait()
}

// listenerHandover is a handler that drains its connections when it is told to end: for a
// while it goes on answering and closes each connection with its next answer, as a load
// balancer does. Closing an idle connection at once could lose a request on its way.
type listenerHandover struct {
	http.Handler
	ending atomic.Bool
}

// ServeHTTP answers, and while ending tells the client not to come back on the
// same connection.
func (h *listenerHandover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.ending.Load() {
		w.Header().Set("Connection", "close")
	}
	h.Handler.ServeHTTP(w, r)
}

// begin begins the hand-over and returns when it is time to stop listening.
func (h *listenerHandover) begin() {
	h.ending.Store(true)
	time.Sleep(handOverFor)
}

// Readiness is whether a service can do its work, and if not, why not.
type Readiness struct {
	mu  sync.Mutex
	err error
}

// WaitingFor is the readiness of a service that waits for something.
func WaitingFor(what string) *Readiness {
	return &Readiness{err: errors.New("waiting for " + what)}
}

// Set changes the state; nil means ready.
func (r *Readiness) Set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// State is nil for what is ready, else why it is not.
func (r *Readiness) State() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// NewMux answers what every service answers. Status returns its counters;
// "served" among them is how many requests of its own trade it has answered.
// Quiesce ends what a service does unasked (a queue of retries), so that its
// counters stay as they are; it returns when nothing is under way any more.
func NewMux(ready *Readiness, status func() map[string]int64, quiesce ...func()) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+contract.HealthPath, func(w http.ResponseWriter, _ *http.Request) {
		if err := ready.State(); err != nil {
			WriteError(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET "+contract.StatusPath, func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, status())
	})
	mux.HandleFunc("POST "+contract.QuiescePath, func(w http.ResponseWriter, _ *http.Request) {
		for _, end := range quiesce {
			end()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// WriteJSON answers with a status and a body as JSON.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The body is one of ours and encodes; an error is that of a client that left.
	_ = json.NewEncoder(w).Encode(body)
}

// WriteError answers with a status and why: {"error": message}.
func WriteError(w http.ResponseWriter, status int, message string) {
	WriteJSON(w, status, map[string]string{"error": message})
}

// AttemptOf is which attempt of the same a delivery is; 1 where it does not say.
func AttemptOf(h http.Header) int {
	n, err := strconv.Atoi(h.Get(webhook.HeaderAttempt))
	if err != nil || n < 1 {
		return 1
	}
	return n
}
