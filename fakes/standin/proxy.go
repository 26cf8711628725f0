package standin

import (
	"bytes"
	"context"
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

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// ServeProxy passes connections on to another service through toxiproxy, which
// can disturb them. Who says nothing at first is passed on too: what there is behind
// it may speak first.
//
//	presenter ─► listener ─┬─► toxiproxy, on loopback ─► To
//	                       └─► its API, below contract.ProxyPath
func ServeProxy(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Proxy
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := Require("name", c.Name, "to", c.To, "token", c.Token); err != nil {
		return err
	}
	logger := history.NewLogger(log, c.Name)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	inner := toxiproxy.NewProxy(server, contract.ProxyName, "127.0.0.1:0", c.To)
	if err := server.Collection.Add(inner, true); err != nil {
		return fmt.Errorf("start toxiproxy: %w", err)
	}
	defer inner.Stop()
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("proxy: toxiproxy to %s", c.To))

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+contract.ProxyPath+"healthz", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.Handle(contract.ProxyPath+"proxies/", contract.RequireToken(c.Token, http.StripPrefix(contract.ProxyPath[:len(contract.ProxyPath)-1], server.Routes())))
	api := NewSplit(listener, logger, Silence, func(first []byte) bool { return !toProxy(first) }, func(ctx context.Context, conn *Conn) {
		pass(ctx, conn, inner.Listen, logger)
	})
	return ServeHTTP(ctx, api, mux, logger)
}

// toProxy tells by the beginning of a connection whether it is for the proxy
// itself: by the path of an HTTP request.
func toProxy(first []byte) bool {
	_, path, _ := bytes.Cut(first, []byte(" "))
	return bytes.HasPrefix(path, []byte(contract.ProxyPath))
}

// pass passes a connection on, in both directions, until either side ends it.
func pass(ctx context.Context, conn *Conn, to string, log *slog.Logger) {
	onward, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		log.Warn("pass on", "detail", err.Error())
		return
	}
	stop := context.AfterFunc(ctx, func() { onward.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { // ends when either connection is closed
		defer onward.Close()
		// How a connection ends is said to its other side by closing it.
		_, _ = io.Copy(onward, conn)
	})
	_, err = io.Copy(conn, onward)
	if tcp, ok := conn.Conn.(*net.TCPConn); ok && errors.Is(err, syscall.ECONNRESET) {
		_ = tcp.SetLinger(0) // a reset is passed on as one; without, it is an end
	}
	conn.Close()
	both.Wait()
}
