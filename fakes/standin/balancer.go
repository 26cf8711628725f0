package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// dialWithin bounds how long a replica is tried that may be gone.
const dialWithin = 2 * time.Second

// ServeBalancer gives each request to the next of several replicas, and to the one
// after it where that takes no connection, as the balancers of HTTP in production do
// while one is rolled.
func ServeBalancer(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Balancer
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := Require("name", c.Name, "to", strings.Join(c.To, " ")); err != nil {
		return err
	}
	logger := history.NewLogger(log, c.Name)
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("balancer before %d replicas", len(c.To)))
	turns := newRoundRobin(c.To)
	defer turns.CloseIdleConnections()
	onward := &httputil.ReverseProxy{
		Transport: turns,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "replicas"})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // somebody still waits for an answer
				logger.Warn("pass on", "detail", err.Error())
			}
			http.Error(w, "no replica answered", http.StatusBadGateway)
		},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+contract.ProxyPath+"healthz", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.Handle("/", onward)
	return ServeHTTP(ctx, listener, mux, logger)
}

// roundRobin sends each request to the next of several hosts.
type roundRobin struct {
	*http.Transport
	to   []string
	next atomic.Uint64
}

func newRoundRobin(to []string) *roundRobin {
	return &roundRobin{to: to, Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialWithin}).DialContext,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: idleTimeout, DisableCompression: true,
	}}
}

// RoundTrip tries each host once at most. Of a request whose connection was refused
// nothing was sent, so that it can be sent to another.
func (t *roundRobin) RoundTrip(r *http.Request) (*http.Response, error) {
	first := t.next.Add(1)
	var failed error
	for i := range t.to {
		out := r.Clone(r.Context())
		out.URL.Host = t.to[(first+uint64(i))%uint64(len(t.to))]
		if r.Body != nil {
			out.Body = io.NopCloser(r.Body) // a transport closes it whatever comes of it
		}
		resp, err := t.Transport.RoundTrip(out)
		if err == nil {
			return resp, nil
		}
		failed = errors.Join(failed, err)
		if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "dial" {
			break
		}
	}
	return nil, failed
}
