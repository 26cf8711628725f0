package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// status is what an attempt was answered: an HTTP status, or below zero why
// there was no answer. It is a number so that counting it allocates nothing.
type status int

// The statuses of attempts without an answer, or with one that says nothing.
const (
	statusRefused status = -1 - iota // the connection was refused
	statusTimeout                    // no answer in time
	statusReset                      // the connection ended before the answer did
	statusDNS                        // the name was not found
	statusError                      // anything else
	statusExpired                    // refused, with a token that had run out on the way
)

// String is how the status is counted: "200", "refused".
func (s status) String() string {
	switch s {
	case statusRefused:
		return "refused"
	case statusTimeout:
		return "timeout"
	case statusReset:
		return "reset"
	case statusDNS:
		return "dns"
	case statusExpired:
		return "expired"
	case statusError:
		return "error"
	}
	return strconv.Itoa(int(s))
}

// classifyError says what it means that there was no complete answer. Running
// out of files, ports or memory here is the harness's own failure.
func classifyError(err error) (history.Outcome, status) {
	for _, own := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, context.Canceled,
	} {
		if errors.Is(err, own) {
			return history.HarnessError, statusError
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return history.Unavailable, statusDNS
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return history.Unavailable, statusRefused
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return history.Unavailable, statusTimeout
	}
	for _, ended := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, ended) {
			return history.Unavailable, statusReset
		}
	}
	// net/http (Go 1.26) does not export this error.
	if strings.Contains(err.Error(), "server closed idle connection") {
		return history.Unavailable, statusReset
	}
	return history.Unavailable, statusError
}

// refusalCode is the error code of a WWW-Authenticate header if it is one of
// RFC 6750 §3.1. Nothing else of the header is kept: it may echo the token.
func refusalCode(h http.Header) string {
	challenge := h.Get("WWW-Authenticate")
	for _, code := range []string{"invalid_token", "insufficient_scope", "invalid_request"} {
		if strings.Contains(challenge, `error="`+code+`"`) {
			return code
		}
	}
	return ""
}
