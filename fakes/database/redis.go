package database

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// ServeRedis runs a real Redis server as its child, in a folder of its own that
// is gone when it ends. It is reached at the one address of the stand-in, as a
// PostgreSQL server is (ServePostgres). Redis writes no line about who logs in,
// and its ACL LOG adds up refusals of a minute, so that what it decided of each
// connection is read from its answer on the wire.
func ServeRedis(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	c, err := decode(config)
	if err != nil {
		return err
	}
	logger, ready := history.NewLogger(log, c.Name), standin.WaitingFor("the server")
	server, err := startRedis(c, logger)
	if err != nil {
		return err
	}
	logins := newLogins(c.Name, logger)
	mux := standin.NewMux(ready, logins.counters)
	web := standin.NewSplit(listener, logger, 0, isRedis, func(_ context.Context, conn *standin.Conn) {
		if err := logins.relayRedis(conn, server.address); err != nil {
			logger.Debug("a connection ended", "detail", err.Error())
		}
	})
	return errors.Join(standin.ServeHTTP(ctx, web, mux, logger, func(ctx context.Context) error {
		return server.attend(ctx, server.version, func(version string) {
			logger.Info(string(history.KindService), "detail", version)
			ready.Set(nil)
		})
	}), server.stop())
}

// isRedis tells the first byte of a command, which is an array (RESP
// specification, "Sending commands to a Redis server"), from that of an HTTP method.
func isRedis(first []byte) bool { return first[0] == '*' }
