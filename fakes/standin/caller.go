package standin

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/peer"
)

// callers finds who calls this process from another of its run.
var callers = sync.OnceValue(peer.NewFinder)

// CallerOf is where a connection comes from, as the line of a decision has it: the service of the run, in
// words of contract.Caller, where it is a process of this machine, and else the IP address. It is "" where
// the connection has no address.
func CallerOf(conn net.Conn) string {
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	remote, errRemote := netip.ParseAddrPort(conn.RemoteAddr().String())
	if errRemote != nil {
		return ""
	}
	if err == nil {
		if service := callers().At(local, remote); service != "" {
			return contract.Caller(service)
		}
	}
	return remote.Addr().String()
}

// connKey is under what a request's context has its connection's caller.
type connKey struct{}

// withCaller has the requests of a connection know who calls, which is found out once, and only where one
// of them asks.
func withCaller(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, sync.OnceValue(func() string { return CallerOf(conn) }))
}

// Caller is CallerOf the connection of a request.
func Caller(r *http.Request) string {
	if of, ok := r.Context().Value(connKey{}).(func() string); ok {
		return of()
	}
	remote, _, _ := net.SplitHostPort(r.RemoteAddr) // "" where it is no address
	return remote
}
