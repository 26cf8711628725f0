package load

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// streamPatience is how long a stream may fail to make progress, in one row,
// before Stream gives up.
const streamPatience = 15 * time.Second

// streamRetry is the wait between two tries.
const streamRetry = 100 * time.Millisecond

// direct talks to the service without any proxy of the environment.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// Client speaks to a load service. Set URL and use it; one goroutine may
// Stream while another calls Start and Stop.
type Client struct {
	URL   string // base address, as the harness sees it
	Token string // with which the service is controlled; empty: it asks for none

	received int64         // number of the last batch delivered
	patience time.Duration // in place of streamPatience, in tests
}

// Start lets load begin. It returns when every session has its first token and
// requests are being sent.
func (c *Client) Start(ctx context.Context) error {
	if err := c.call(ctx, "/start", nil); err != nil {
		return fmt.Errorf("start load: %w", err)
	}
	return nil
}

// SetRate changes how many requests a client sends in a second from now on; 0: none.
func (c *Client) SetRate(ctx context.Context, client string, rate float64) error {
	query := url.Values{"client": {client}, "rate": {strconv.FormatFloat(rate, 'g', -1, 64)}}
	if err := c.call(ctx, "/rate?"+query.Encode(), nil); err != nil {
		return fmt.Errorf("change the rate of %s: %w", client, err)
	}
	return nil
}

// Stop ends load, waits until it has drained, and returns the totals of the
// final batch; Served, Probes and Complete are not load's to say.
func (c *Client) Stop(ctx context.Context) (history.Totals, error) {
	var totals history.Totals
	if err := c.call(ctx, "/stop", &totals); err != nil {
		return history.Totals{}, fmt.Errorf("stop load: %w", err)
	}
	return totals, nil
}

// clock is the time of the service, as it counts by.
func (c *Client) clock(ctx context.Context) (time.Time, error) {
	resp, err := c.do(ctx, http.MethodGet, "/clock")
	if err != nil {
		return time.Time{}, fmt.Errorf("read the clock of load: %w", err)
	}
	defer resp.Body.Close()
	var micros int64
	if err := json.NewDecoder(resp.Body).Decode(&micros); err != nil {
		return time.Time{}, fmt.Errorf("read the clock of load: %w", err)
	}
	return time.UnixMicro(micros), nil
}

// Stream hands every batch to deliver, once and in order, and returns nil after
// the final one. It comes again when a stream ends, breaks or stands still, and gives up
// after 15 s without a working one. A batch whose delivery returns an error is not
// received: Stream returns that error, and a later call begins with that batch.
func (c *Client) Stream(ctx context.Context, deliver func(Batch) error) error {
	working, patience := time.Now(), cmp.Or(c.patience, streamPatience)
	for {
		// One that stands still, since the process is stopped or its machine is gone, does
		// not end by itself; one that works has news, or ends after streamFor.
		once, cancel := context.WithCancelCause(ctx)
		still := time.AfterFunc(patience-time.Since(working), func() { cancel(errStill) })
		final, err := c.streamOnce(once, func(b Batch) error {
			working = time.Now()
			still.Reset(patience)
			return deliver(b)
		})
		still.Stop()
		if err != nil && context.Cause(once) == errStill {
			err = errStill
		}
		cancel(nil)
		if failed, ok := errors.AsType[*deliveryError](err); ok {
			return failed.err
		}
		if final {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stream load after batch %d: %w", c.received, ctx.Err())
		}
		if err == nil {
			working = time.Now()
			continue
		}
		if time.Since(working) >= patience {
			return fmt.Errorf("stream load after batch %d: nothing for %v: %w", c.received, patience, err)
		}
		if err := (world.WallClock{}).Sleep(ctx, streamRetry); err != nil {
			return fmt.Errorf("stream load after batch %d: %w", c.received, err)
		}
	}
}

// errStill ends a stream that has no news and does not end.
var errStill = errors.New("it stands still")

// deliveryError tells an error of the consumer from one of the stream.
type deliveryError struct{ err error }

// Error is that of the consumer.
func (e *deliveryError) Error() string { return e.err.Error() }

func (c *Client) streamOnce(ctx context.Context, deliver func(Batch) error) (final bool, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/stream?after="+strconv.FormatInt(c.received, 10))
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(resp.Body)
	for {
		var batch Batch
		if err := decoder.Decode(&batch); errors.Is(err, io.EOF) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("read batch %d: %w", c.received+1, err)
		}
		// A client that is new to a service may begin anywhere.
		if c.received > 0 && batch.Seq != c.received+1 {
			return false, fmt.Errorf("read batch %d: got number %d", c.received+1, batch.Seq)
		}
		if err := deliver(batch); err != nil {
			return false, &deliveryError{err}
		}
		c.received = batch.Seq
		if batch.Final {
			return true, nil
		}
	}
}

func (c *Client) call(ctx context.Context, path string, answer any) error {
	resp, err := c.do(ctx, http.MethodPost, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("read answer of %s: %w", path, err)
	}
	return nil
}

// do sends a request and turns an answer that is not a success into an error.
func (c *Client) do(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	contract.SetBearer(req, c.Token)
	resp, err := direct.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	var why problem
	if err := json.NewDecoder(resp.Body).Decode(&why); err != nil {
		return nil, fmt.Errorf("%s %s answered %s", method, path, resp.Status)
	}
	return nil, fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, why.Error)
}
