package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
)

// ErrEnded is what Ready returns when the service ended first.
var ErrEnded = errors.New("it ended before it was ready")

const (
	firstPause = 10 * time.Millisecond // between two questions; grows by half each time
	lastPause  = 250 * time.Millisecond
	// settle is how long a connection must stay open for a port to count as
	// served: docker's proxy accepts at once and hangs up when nobody listens.
	settle = 100 * time.Millisecond
	// oneTry bounds one question, so that the last answer is never older than this.
	oneTry = 5 * time.Second
)

// prober neither keeps connections, which would hide a restart, nor uses a
// proxy of the surrounding shell.
var prober = &http.Client{
	Timeout:       oneTry,
	Transport:     certs.Trusting(&http.Transport{Proxy: nil, DisableKeepAlives: true}),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Ready waits until a service is ready: until GET base+path answers 200, or,
// without a path, until its port takes a connection and keeps it. The wait is
// over early when ended is closed (ErrEnded) and at the latest with the
// context; the error then says what was waited for and what was last seen.
func Ready(ctx context.Context, base, path string, ended <-chan struct{}) error {
	if base == "" {
		return nil
	}
	ask, what := askPort, "a connection to "+base
	if path != "" {
		base += path
		ask, what = askHTTP, "200 from GET "+base
	}
	began := time.Now()
	lastSeen := "nothing yet"
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		err := ask(ctx, base)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			lastSeen = err.Error()
		}
		select {
		case <-ended:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %s, last seen: %s: %w",
				time.Since(began).Round(time.Millisecond), what, lastSeen, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func askHTTP(ctx context.Context, target string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	response, err := prober.Do(request)
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			return wrapped.Err // without the URL, which is said already
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func askPort(ctx context.Context, target string) error {
	u, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	dialer := net.Dialer{Timeout: oneTry}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(settle)); err != nil {
		return err
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return errors.New("connection closed at once")
		}
		return err
	}
	return nil
}
