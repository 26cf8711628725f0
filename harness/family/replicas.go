package family

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
)

// replicas connects to the addresses of a name in turn, one per connection. The usual dialer always
// takes the first, and would ask one replica about all.
type replicas struct {
	lookup func(ctx context.Context, host string) ([]string, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	turn   atomic.Uint64
}

func newReplicas() *replicas {
	return &replicas{lookup: net.DefaultResolver.LookupHost, dial: (&net.Dialer{}).DialContext}
}

// connect connects to the next address, or to a later one where that refuses the connection.
func (r *replicas) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if net.ParseIP(host) != nil {
		return r.dial(ctx, network, address)
	}
	all, err := r.lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	first := r.turn.Add(1)
	for i := range uint64(len(all)) {
		at := all[(first+i)%uint64(len(all))]
		conn, failed := r.dial(ctx, network, net.JoinHostPort(at, port))
		if failed == nil {
			return conn, nil
		}
		if err = failed; ctx.Err() != nil {
			break
		}
	}
	if err == nil {
		err = fmt.Errorf("look up %s: it has no address", host)
	}
	return nil, err
}

// severalAt is the address that was asked, where its name has several; else empty.
func (r *replicas) severalAt(ctx context.Context, host string, remote net.Addr) string {
	if remote == nil || net.ParseIP(host) != nil {
		return ""
	}
	at, _, err := net.SplitHostPort(remote.String())
	if err != nil || net.ParseIP(at).IsLoopback() {
		return ""
	}
	if all, err := r.lookup(ctx, host); err != nil || len(all) < 2 {
		return ""
	}
	return at
}
