package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestClassifyError(t *testing.T) {
	op := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for _, test := range []struct {
		name    string
		err     error
		outcome history.Outcome
		status  string
	}{
		{"refused", op(syscall.ECONNREFUSED), history.Unavailable, "refused"},
		{"deadline of the request", context.DeadlineExceeded, history.Unavailable, "timeout"},
		{"timeout of the network", op(syscall.ETIMEDOUT), history.Unavailable, "timeout"},
		{"reset", op(syscall.ECONNRESET), history.Unavailable, "reset"},
		{"broken pipe", op(syscall.EPIPE), history.Unavailable, "reset"},
		{"ended before the answer", io.EOF, history.Unavailable, "reset"},
		{"ended in the answer", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), history.Unavailable, "reset"},
		{"kept connection closed", errors.New("http: server closed idle connection"), history.Unavailable, "reset"},
		{"name not found", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, history.Unavailable, "dns"},
		{"name server silent", &net.DNSError{IsTimeout: true}, history.Unavailable, "dns"},
		{"no route", op(syscall.EHOSTUNREACH), history.Unavailable, "error"},
		{"not HTTP", errors.New("malformed HTTP response"), history.Unavailable, "error"},
		{"out of files", op(syscall.EMFILE), history.HarnessError, "error"},
		{"out of ports", op(syscall.EADDRNOTAVAIL), history.HarnessError, "error"},
		{"cancelled by us", context.Canceled, history.HarnessError, "error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			outcome, status := classifyError(test.err)
			if outcome != test.outcome || status.String() != test.status {
				t.Errorf("got %s, %s; want %s, %s", outcome, status, test.outcome, test.status)
			}
		})
	}
}

func TestRefusalCodeKeepsNothingElse(t *testing.T) {
	for challenge, want := range map[string]string{
		"":       "",
		"Bearer": "",
		`Bearer error="invalid_token", error_description="eyJhbGciOi"`: "invalid_token",
		`Bearer error="eyJhbGciOi"`:                                    "",
	} {
		if got := refusalCode(http.Header{"Www-Authenticate": {challenge}}); got != want {
			t.Errorf("of %q got %q; want %q", challenge, got, want)
		}
	}
}
