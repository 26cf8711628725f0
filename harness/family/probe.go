package family

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// ProbeAgent is the name of the harness's own probes wherever a presenter is named: User-Agent,
// client_id. They are not load.
const ProbeAgent = "rehearse-probe"

const (
	// probeTimeout bounds one presentation: as long as a service's own clients wait.
	probeTimeout = contract.ClientTimeout
	// probeAnswer bounds how much of an answer is read.
	probeAnswer = 1 << 20
)

// spoiltToken is how a token is presented whose signature is spoilt.
const spoiltToken = "token whose signature is spoilt"

// Spoilt is a token with a made-up signature of the same length, or a value with other letters where it
// is no token. The last character stays: in an encoding it may have bits that must be zero, and an
// undecodable value need not be checked.
func Spoilt(value string) string {
	from, to := strings.LastIndex(value, ".")+1, max(len(value)-1, 0)
	if from > to {
		return value
	}
	return value[:from] + strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return 'a' + ('z' - c)
		case c >= 'A' && c <= 'Z':
			return 'A' + ('Z' - c)
		}
		return c
	}, value[from:to]) + value[to:]
}

const (
	// spoiltFromEnd is how far before the end of a value it is spoilt: of the last character of
	// base64 a decoder drops up to four bits (RFC 4648 §3.5), and up to two characters fill up the
	// last group (§4).
	spoiltFromEnd = 4
	// spoiltAtMost is the last place in a value at which it is spoilt: bcrypt looks at the first 72 bytes.
	spoiltAtMost = 70
)

// OtherEnd is a made-up value: the same with one other character near its end, of the same kind. A
// value too short for that has another last character.
func OtherEnd(value string) string {
	if value == "" {
		return value
	}
	at := min(len(value)-1, spoiltAtMost)
	if len(value) > 2*spoiltFromEnd {
		at = min(len(value)-spoiltFromEnd, spoiltAtMost)
	}
	is, other := value[at], byte('x')
	switch {
	case is == other:
		other = 'y'
	case is >= '0' && is <= '9':
		other = '0' + (is-'0'+1)%10
	case is >= 'A' && is <= 'Z':
		other = 'A' + (is-'A'+1)%26
	case is >= 'a' && is <= 'z':
		other = 'a' + (is-'a'+1)%26
	}
	return value[:at] + string(other) + value[at+1:]
}

// probeReplicas are where probes connect to.
var probeReplicas = newReplicas()

// probeClient makes a new connection for every request, so that its requests spread over replicas, and
// uses no proxy of the environment: services are inside of the run.
func probeClient(speaks protocol.Protocol) *http.Client {
	return &http.Client{
		Transport:     speaks.Wire(certs.Trusting(&http.Transport{DisableKeepAlives: true, DialContext: probeReplicas.connect}), probeAnswer),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// probeClients are those of each protocol.
var probeClients = map[protocol.Protocol]*http.Client{
	protocol.HTTP1: probeClient(protocol.HTTP1), protocol.HTTP2: probeClient(protocol.HTTP2), protocol.GRPC: probeClient(protocol.GRPC),
}

// show sends a request with a bearer credential and says what was decided.
func show(ctx context.Context, method, url, bearer string) (history.Probe, error) {
	return Request{Method: method, URL: url, Header: http.Header{"Authorization": {"Bearer " + bearer}}}.Ask(ctx)
}

// usual reads answers as the load does without settings: both must decide alike. Empty signs are never
// wrong.
var usual, _ = refusal.New(refusal.Signs{})

// Signs reads the answers of a service by its scenario's description of refusals, or as usual without
// one.
func Signs(p *plan.Plan, service string) *refusal.Reader {
	shown := p.Rehearsal.Services[service].Refusal
	if shown == nil {
		return usual
	}
	// An invalid pattern was reported when the scenario was loaded.
	if signs, err := refusal.New(shown.Signs()); err == nil {
		return signs
	}
	return usual
}

// Request is one that presents a credential in its headers.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        string            // as a scenario has it
	Protocol    protocol.Protocol // by which it is sent
	Signs       *refusal.Reader   // of a refusal; nil: the usual ones
}

// Ask sends a request and says what was decided. The error is the harness's own, and never
// holds the credential.
func (r Request) Ask(ctx context.Context) (history.Probe, error) {
	signs := r.Signs
	if signs == nil {
		signs = usual
	}
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	body, err := r.Protocol.Body(r.Body)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present a credential: %w", err)
	}
	req, err := http.NewRequestWithContext(bounded, r.Method, r.URL, bytes.NewReader(body))
	if err != nil {
		return history.Probe{}, fmt.Errorf("present a credential: %w", err)
	}
	req.Header = r.Header
	req.Header.Set("User-Agent", ProbeAgent)
	var remote net.Addr
	req = req.WithContext(httptrace.WithClientTrace(bounded, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { remote = got.Conn.RemoteAddr() },
	}))
	begin := time.Now()
	resp, err := probeClients[r.Protocol].Do(req)
	probe := history.Probe{Latency: history.Offset(time.Since(begin))}
	if err != nil {
		if ctx.Err() != nil {
			return history.Probe{}, ctx.Err()
		}
		probe.Outcome, probe.Status = history.Unavailable, unanswered(err)
		return probe, nil
	}
	defer resp.Body.Close()
	// Mostly the status says it all; the rest is read so that the service can finish, and an error
	// there changes nothing.
	said, _ := io.ReadAll(io.LimitReader(resp.Body, probeAnswer))
	probe.Outcome, probe.Status = signs.Outcome(resp.StatusCode, resp.Header, said), strconv.Itoa(resp.StatusCode)
	probe.Replica = probeReplicas.severalAt(bounded, req.URL.Hostname(), remote)
	return probe, nil
}

// Statuses of a presentation without an answer, in the words of the load's counts.
const (
	statusRefused = "refused"
	statusTimeout = "timeout"
	statusReset   = "reset"
	statusError   = "error"
)

// Unanswered reports whether a probe's status says that there was no answer.
func Unanswered(status string) bool {
	return slices.Contains([]string{statusRefused, statusTimeout, statusReset, statusError}, status)
}

// unanswered names why there was no answer.
func unanswered(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return statusRefused
	}
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		return statusTimeout
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return statusReset
	}
	return statusError
}
