package fakes

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// ProxyPath is where a proxy is spoken to itself: what follows is the API of
	// toxiproxy v2 ("proxies/edge/toxics"), or "healthz". Everything else is passed on.
	ProxyPath = "/rehearse/proxy/"
	// ProxyName is the name under which that API knows the one proxy that there is.
	ProxyName = "edge"
	// firstRead is how much of a connection is read to see what it is.
	firstRead = 4 << 10
)

// ProxyConfig is the configuration of a proxy.
type ProxyConfig struct {
	Name string `json:"name"`
	// To is the host and port that connections are passed on to.
	To string `json:"to"`
	// Token is the bearer token without which nobody disturbs it.
	Token string `json:"token"`
}

// ServeProxy passes connections on to another service through toxiproxy, which
// can disturb them. It is for protocols in which the client speaks first.
//
//	presenter ─► listener ─┬─► toxiproxy, on loopback ─► To
//	                       └─► its API, below ProxyPath
func ServeProxy(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c ProxyConfig
	if err := decode(config, &c); err != nil {
		return err
	}
	if err := require(field{"name", c.Name}, field{"to", c.To}, field{"token", c.Token}); err != nil {
		return err
	}
	logger := history.NewLogger(log, c.Name)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	inner := toxiproxy.NewProxy(server, ProxyName, "127.0.0.1:0", c.To)
	if err := server.Collection.Add(inner, true); err != nil {
		return fmt.Errorf("start toxiproxy: %w", err)
	}
	defer inner.Stop()
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("proxy: toxiproxy to %s", c.To))

	p := &proxy{inner: inner.Listen, api: newHandedOver(listener.Addr()), log: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ProxyPath+"healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.Handle(ProxyPath+"proxies/", withToken(c.Token, http.StripPrefix(ProxyPath[:len(ProxyPath)-1], server.Routes())))
	return serveHTTP(ctx, p.api, mux, logger, func(ctx context.Context) error { return p.accept(ctx, listener) })
}

// withToken asks for a bearer token.
func withToken(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(bearer(r)), []byte(token)) != 1 {
			writeError(w, http.StatusUnauthorized, "the token of this run is needed")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// proxy takes connections and sorts them.
type proxy struct {
	inner string // where toxiproxy listens
	api   *handedOver
	log   *slog.Logger
	conns sync.WaitGroup
}

// accept takes connections until ctx ends, and waits for the last.
func (p *proxy) accept(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	defer p.conns.Wait()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if conn != nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept: %w", err)
		case err != nil: // of one connection, which is gone
			p.log.Warn("accept", "detail", err.Error())
			continue
		}
		p.conns.Go(func() { p.sort(ctx, conn) })
	}
}

// sort reads the beginning of a connection and gives it to whom it is for.
func (p *proxy) sort(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	first := make([]byte, firstRead)
	n, err := conn.Read(first)
	if err != nil {
		conn.Close()
		return
	}
	first = first[:n]
	_, path, _ := bytes.Cut(first, []byte(" "))
	if bytes.HasPrefix(path, []byte(ProxyPath)) {
		if !p.api.take(ctx, &begunConn{Conn: conn, rest: io.MultiReader(bytes.NewReader(first), conn)}) {
			conn.Close()
		}
		return
	}
	p.pass(ctx, conn, first)
}

// pass passes a connection on, in both directions, until either side ends it.
func (p *proxy) pass(ctx context.Context, conn net.Conn, first []byte) {
	defer conn.Close()
	onward, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.inner)
	if err != nil {
		p.log.Warn("pass on", "detail", err.Error())
		return
	}
	stop := context.AfterFunc(ctx, func() { onward.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { // ends when either connection is closed
		defer onward.Close()
		if _, err := onward.Write(first); err == nil {
			// How a connection ends is said to its other side by closing it.
			_, _ = io.Copy(onward, conn)
		}
	})
	_, err = io.Copy(conn, onward)
	if tcp, ok := conn.(*net.TCPConn); ok && errors.Is(err, syscall.ECONNRESET) {
		_ = tcp.SetLinger(0) // a reset is passed on as one; without, it is an end
	}
	conn.Close()
	both.Wait()
}

// begunConn is a connection of which the beginning was read already.
type begunConn struct {
	net.Conn
	rest io.Reader
}

func (c *begunConn) Read(p []byte) (int, error) { return c.rest.Read(p) }

// handedOver is a listener for connections that somebody else accepts.
type handedOver struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var _ net.Listener = (*handedOver)(nil)

func newHandedOver(addr net.Addr) *handedOver {
	return &handedOver{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// take hands a connection over; false where nobody takes it any more.
func (h *handedOver) take(ctx context.Context, conn net.Conn) bool {
	select {
	case h.conns <- conn:
		return true
	case <-h.closed:
	case <-ctx.Done():
	}
	return false
}

// Accept returns the next connection that is handed over.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr is the address at which connections are accepted.
func (h *handedOver) Addr() net.Addr { return h.addr }
