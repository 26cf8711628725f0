package database

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// ServeMariaDB runs a real MariaDB server as its child, in a folder of its own that
// is gone when it ends. It is reached at the one address of the stand-in, as a
// PostgreSQL server is (ServePostgres); since this server speaks first, who says
// nothing at first is for it. Its log names nobody but the user, so that what it
// decided of each connection is read from its answer on the wire, and about which
// password from what the client showed (mariaDBBook).
func ServeMariaDB(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	c, err := decode(config)
	if err != nil {
		return err
	}
	logger, ready := history.NewLogger(log, c.Name), standin.WaitingFor("the server")
	server, err := startMariaDB(ctx, c, logger)
	if err != nil {
		return err
	}
	sessions, err := openMariaDBSessions(server.address, c.AdminPassword)
	if err != nil {
		return errors.Join(err, server.stop())
	}
	logins := newLogins(c.Name, logger)
	mux := standin.NewMux(ready, logins.counters)
	spoken := func([]byte) bool { return false }
	web := standin.NewSplit(listener, logger, standin.Silence, spoken, func(_ context.Context, conn *standin.Conn) {
		if err := logins.relayMariaDB(conn, server.address, sessions); err != nil {
			logger.Debug("a connection ended", "detail", err.Error())
		}
	})
	return errors.Join(standin.ServeHTTP(ctx, web, mux, logger, func(ctx context.Context) error {
		return server.attend(ctx, server.version, func(version string) {
			logger.Info(string(history.KindService), "detail", version)
			ready.Set(nil)
		})
	}), sessions.close(), server.stop())
}
