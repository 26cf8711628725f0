package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// errHeldBack is what vegeta is told of a request that was not sent.
var errHeldBack = errors.New("session has no valid token")

// idleTimeout is how long a connection is kept unused. Who closes one may close
// it under a request on its way, so it is to be us: it is less than the shortest
// that servers are known to wait (5 s: server.keepAliveTimeout of Node.js), and
// than a server that is being replaced goes on answering (fakes.handOverFor),
// which ends with its next answer each connection that is in use.
const idleTimeout = 250 * time.Millisecond

// maxAnswer bounds what is read of an answer; the connection of a longer one
// is not used again.
const maxAnswer = 1 << 20

// totals are the counters of a whole service, as history.Totals has them.
type totals struct {
	sent, notSent, retried, unanswered atomic.Int64
}

// sum is what was counted so far; what was due is the paces' to say, and Recorded
// the outbox's.
func (t *totals) sum() history.Totals {
	return history.Totals{
		Sent:       t.sent.Load(),
		NotSent:    t.notSent.Load(),
		Retried:    t.retried.Load(),
		Unanswered: t.unanswered.Load(),
	}
}

// transport sends the requests of one client: it picks the session, presents
// its token, classifies the answer, counts it, and tries again where the
// client does. Vegeta sees the last answer and decides nothing.
type transport struct {
	client   *ClientConfig
	wire     http.RoundTripper
	clock    clock
	totals   *totals
	heldBack *heldBack
	sessions []*session
	next     atomic.Uint64
}

var _ http.RoundTripper = (*transport)(nil)

// newWire is the transport below: no proxy of the environment, no compression,
// and as many idle connections as there may be requests at a time.
func newWire(connections int) *http.Transport {
	return certs.Trusting(&http.Transport{
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	})
}

// RoundTrip sends one request of the client's next session, and a second one
// after an auth failure where the client renews. All of it has one deadline, as
// http.Client.Timeout would set.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	session := t.sessions[(t.next.Add(1)-1)%uint64(len(t.sessions))]
	tok := session.current.Load()
	if tok.unusable <= t.clock.now() {
		if req.Body != nil {
			_ = req.Body.Close() // an in-memory reader: nothing can fail
		}
		t.totals.notSent.Add(1)
		t.heldBack.add(session)
		return nil, errHeldBack
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(t.client.Timeout))
	defer cancel()
	resp, outcome, err := t.try(ctx, req, session, tok, false)
	if outcome != history.AuthFailure || !t.client.fetches() || t.client.Token.OnRefusal != Renew {
		return resp, err
	}
	fresh, renewal := session.renew(ctx, tok)
	if renewal != nil {
		return resp, nil // the refusal stands, and is counted
	}
	if req.GetBody != nil {
		if req.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("rewind body: %w", err)
		}
	}
	resp, _, err = t.try(ctx, req, session, fresh, true)
	return resp, err
}

// try makes one attempt and counts it. The answer's body has been read and
// closed when it returns.
func (t *transport) try(ctx context.Context, req *http.Request, s *session, tok *token, retry bool) (*http.Response, history.Outcome, error) {
	// net/http sends a request without a body again, unasked, when a kept
	// connection turns out to be closed. Such a replay is a retry like others:
	// what it replays was lost.
	var connections atomic.Int32
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connections.Add(1) },
	})
	attempt := req.WithContext(ctx)
	// http.Transport does not change headers, so requests share those of their
	// token; vegeta's own (X-Vegeta-Seq) are not sent.
	attempt.Header = tok.header
	if host := tok.header.Get("Host"); host != "" {
		attempt.Host = host
	}
	begun := time.Now()
	resp, err := t.wire.RoundTrip(attempt)
	var body []byte
	if err == nil {
		body, err = drain(resp, t.client.signs.NeedsBody())
	}
	d := decision{
		retry: retry, latency: time.Since(begun), session: s.name, issuedAt: tok.issuedAt, life: tok.life,
	}
	if err != nil {
		d.outcome, d.status = classifyError(err)
		t.totals.unanswered.Add(1)
	} else {
		d.outcome, d.status = t.client.signs.Outcome(resp.StatusCode, resp.Header, body), status(resp.StatusCode)
		if d.outcome == history.AuthFailure {
			d.detail = refusalCode(resp.Header)
			// Where this process had to wait for so long that the token ran out
			// on the way, its refusal says nothing of the key.
			if t.clock.now() >= tok.unusable {
				d.outcome, d.status = history.HarnessError, statusExpired
			}
		}
	}
	for range connections.Load() - 1 {
		t.count(tok, decision{
			retry: d.retry, outcome: history.Unavailable, status: statusReset,
			latency: d.latency, session: s.name, issuedAt: tok.issuedAt,
		})
		t.totals.unanswered.Add(1)
		d.retry = true
	}
	t.count(tok, d)
	if err != nil {
		return nil, d.outcome, err
	}
	return resp, d.outcome, nil
}

func (t *transport) count(tok *token, d decision) {
	t.totals.sent.Add(1)
	if d.retry {
		t.totals.retried.Add(1)
	}
	tok.cell.record(d)
}

// drain reads and closes the answer's body, so that the connection can be used
// again and a body that breaks off is seen here. It is returned only where it is
// kept.
func drain(resp *http.Response, keep bool) (body []byte, err error) {
	if resp.Body == http.NoBody {
		return nil, nil
	}
	if limited := io.LimitReader(resp.Body, maxAnswer); keep {
		body, err = io.ReadAll(limited)
	} else {
		_, err = io.Copy(io.Discard, limited)
	}
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	resp.Body = http.NoBody
	return body, err
}
