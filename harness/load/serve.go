package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// startTimeout bounds how long the first tokens may take together.
	startTimeout = 30 * time.Second
	// streamFor is how long one stream lasts. Its consumer then comes again,
	// and by the number that it asks from says what it has: so what was
	// received need not be held for longer than this.
	streamFor = 5 * time.Second
	// writeTimeout is how long a consumer may take to accept one batch.
	writeTimeout = 10 * time.Second
)

// errAgain is in the chain of refusals that are worth another try.
var errAgain = errors.New("another consumer is reading")

// Serve runs a load service on a listener until ctx ends: then load is stopped
// and drained, and Serve returns nil. It logs JSON lines as history.NewLogger
// writes them.
//
//	GET  /healthz          200
//	GET  /rehearse/status  history.Totals so far, without Recorded
//	GET  /clock            the service's time, in microseconds since the Unix epoch
//	POST /start            fetches first tokens and begins; 409 once begun, 502 without a token
//	POST /rate             changes the rate of ?client= to ?rate= a second; 404 for an unknown client, 409 before the start
//	POST /stop             ends and drains; answers history.Totals, again for who asks again
//	GET  /stream           batches as JSON lines; ?after=N says that those up to N were received
//
// The last four ask for the token of contract.WithControl.
func Serve(ctx context.Context, config []byte, l net.Listener, log io.Writer) error {
	parsed, err := ParseConfig(config)
	if err != nil {
		return err
	}
	parsed.Shard.leaveRoom()
	logger := history.NewLogger(log, parsed.Name)
	s := newService(parsed, logger)
	for _, c := range parsed.Clients {
		logger.Info(string(history.KindService), "presenter", c.Name, "detail", c.describe())
	}
	server := &http.Server{
		Handler:           contract.Guard(contract.ControlOf(ctx), s.handler(), "/start", "/rate", "/stop", "/stream"),
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		s.stop()
		return fmt.Errorf("serve load: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := server.Shutdown(shutdown); err != nil {
		return fmt.Errorf("shut down load: %w", err)
	}
	<-served // http.ErrServerClosed, by our own shutdown
	return nil
}

// describe says what a client does, for its log.
func (c *ClientConfig) describe() string {
	s := fmt.Sprintf("%s: %v/s, %d sessions, %s %s, timeout %v",
		c.To, c.Rate, c.Sessions, c.Method, c.target(), time.Duration(c.Timeout))
	if t := c.Token; c.fetches() {
		s += fmt.Sprintf(", tokens from %s for %v, renewed at %v of their life, on refusal %s",
			t.URL, time.Duration(t.Life), t.RenewAt, t.OnRefusal)
	}
	return s
}

// service is traffic with a switch.
type service struct {
	traffic *traffic
	stream  sync.Mutex // held by the one consumer

	mu      sync.Mutex // held while starting and stopping
	begun   bool
	stopped bool
	totals  history.Totals // once stopped
}

func newService(config Config, log *slog.Logger) *service {
	return &service{traffic: newTraffic(config, log)}
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /rehearse/status", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusOK, s.traffic.sum())
	})
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusOK, s.traffic.clock.now())
	})
	mux.HandleFunc("POST /start", s.handleStart)
	mux.HandleFunc("POST /rate", s.handleRate)
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, http.StatusOK, s.stop()) })
	mux.HandleFunc("GET /stream", s.handleStream)
	return mux
}

func (s *service) handleStart(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun || s.stopped {
		s.refuse(w, http.StatusConflict, errors.New("load was started or stopped before"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), startTimeout)
	defer cancel()
	if err := s.traffic.start(ctx); err != nil {
		s.refuse(w, http.StatusBadGateway, err)
		return
	}
	s.begun = true
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) handleRate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rate, err := strconv.ParseFloat(r.URL.Query().Get("rate"), 64)
	if err != nil || !(rate >= 0) || math.IsInf(rate, 0) {
		s.refuse(w, http.StatusBadRequest, fmt.Errorf("rate is %q; want a number from 0", r.URL.Query().Get("rate")))
		return
	}
	if !s.begun || s.stopped {
		s.refuse(w, http.StatusConflict, errors.New("load is not under way"))
		return
	}
	if name := r.URL.Query().Get("client"); !s.traffic.setRate(name, rate) {
		s.refuse(w, http.StatusNotFound, fmt.Errorf("there is no client %q", name))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// stop is safe to repeat; load that was never started ends with empty totals.
func (s *service) stop() history.Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.totals
	}
	s.stopped = true
	if s.begun {
		s.totals = s.traffic.stop()
	} else {
		s.traffic.flush(true)
	}
	return s.totals
}

func (s *service) handleStream(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			s.refuse(w, http.StatusBadRequest, fmt.Errorf("parse after: %w", err))
			return
		}
	}
	if !s.stream.TryLock() {
		s.refuse(w, http.StatusConflict, errAgain)
		return
	}
	defer s.stream.Unlock()
	if err := s.traffic.out.forget(after); err != nil {
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	// A write that fails means that the consumer is gone: it comes again and
	// gets what it did not acknowledge.
	if err := s.write(r.Context(), w, after); err != nil {
		s.traffic.log.Info("stream ended", "detail", err.Error())
	}
}

// write writes batches after a number until the final one or the end of the
// stream's time.
func (s *service) write(ctx context.Context, w http.ResponseWriter, after int64) error {
	ctx, cancel := context.WithTimeout(ctx, streamFor)
	defer cancel()
	control := http.NewResponseController(w)
	encoder := json.NewEncoder(w)
	if err := control.Flush(); err != nil {
		return fmt.Errorf("begin stream: %w", err)
	}
	for {
		batches, changed := s.traffic.out.after(after)
		for _, batch := range batches {
			if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
				return fmt.Errorf("limit write of batch %d: %w", batch.Seq, err)
			}
			if err := encoder.Encode(batch); err != nil {
				return fmt.Errorf("write batch %d: %w", batch.Seq, err)
			}
			if err := control.Flush(); err != nil {
				return fmt.Errorf("write batch %d: %w", batch.Seq, err)
			}
			if batch.Final {
				return nil
			}
			after = batch.Seq
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

type problem struct {
	Error string `json:"error"`
}

func (s *service) refuse(w http.ResponseWriter, code int, err error) {
	s.answer(w, code, problem{err.Error()})
}

func (s *service) answer(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		s.traffic.log.Info("answer not delivered", "detail", err.Error())
	}
}
