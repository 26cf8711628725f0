package attached

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/rehearse-dev/rehearse/harness/family"
)

// natsServer is NATS, by its own protocol; a status is what the server says (-ERR), in small letters.
type natsServer struct{}

// natsRefused is what a server says of a login that it refuses, and of a session that a reload of its
// configuration ends.
const natsRefused = "authorization violation"

func (natsServer) user(dsn string) (string, error) {
	at, err := url.Parse(dsn)
	if err != nil || at.Host == "" || at.User == nil {
		return "", errDSN
	}
	return at.User.Username(), nil
}

func (s natsServer) open(ctx context.Context, dsn string) (connection, string, error) {
	if _, err := s.user(dsn); err != nil {
		return nil, "", err
	}
	dialler := &natsDialler{ctx: ctx, within: func() bool { return true }}
	conn, err := nats.Connect(dsn, nats.Name(family.ProbeAgent), nats.SetCustomDialer(dialler), nats.NoReconnect(), nats.IgnoreDiscoveredServers(), nats.Timeout(loginTimeout))
	switch within := dialler.within(); {
	case within && err == nil:
		return natsConnection{conn}, "", nil
	case err == nil:
		conn.Close()
	case within:
		for _, said := range []string{natsRefused, natsNoRoom, "maximum connections exceeded"} {
			if strings.Contains(strings.ToLower(err.Error()), said) {
				return nil, said, nil
			}
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, "", ctx.Err()
	}
	return nil, noAnswer, nil
}

// natsNoRoom is what it says to one for which the account of its user has no room.
const natsNoRoom = "maximum account active connections exceeded"

// natsDialler ends a connection with a context, which the library does not know.
type natsDialler struct {
	ctx    context.Context
	within func() bool
}

func (d *natsDialler) Dial(network, address string) (net.Conn, error) {
	raw, err := (&net.Dialer{}).DialContext(d.ctx, network, address)
	if err == nil {
		d.within = cutWith(d.ctx, raw)
	}
	return raw, err
}

func (natsServer) refuses(status string) bool { return status == natsRefused }
func (natsServer) taken() string              { return "OK" }

type natsConnection struct{ conn *nats.Conn }

// served asks for an answer (PING), which whoever is still logged in gets.
func (c natsConnection) served(ctx context.Context) error { return c.conn.FlushWithContext(ctx) }

func (c natsConnection) end(context.Context) { c.conn.Close() }
