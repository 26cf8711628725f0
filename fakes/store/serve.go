package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// drain is how long Serve waits at its end for requests under way.
const drain = 2 * time.Second

// Serve answers on l until ctx ends, and then lets requests under way finish
// for two seconds. Audit lines, once a device was enabled, and the server's own
// troubles go to log, one line in one write. A configuration that is not
// complete or has unknown fields is an error.
func Serve(ctx context.Context, config []byte, l net.Listener, log io.Writer) error {
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	var c contract.Store
	if err := dec.Decode(&c); err != nil {
		return fmt.Errorf("parse configuration of the store: %w", err)
	}
	if c.RootToken == "" {
		return errors.New("parse configuration of the store: root_token is missing")
	}
	server := New(c.RootToken, log)
	server.unsealKey = c.UnsealKey
	srv := &http.Server{
		Handler:           server,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(history.NewLogger(log, "store").Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the store: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := srv.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-served
	if err != nil {
		return fmt.Errorf("stop the store: %w", err)
	}
	return nil
}
