package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/refusal"
	"github.com/rehearse-dev/rehearse/harness/webhook"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// SenderAgent is the prefix of the User-Agent under which a sender delivers;
// its name follows.
const SenderAgent = "rehearse-sender/"

// deliveryDeadline bounds one attempt.
const deliveryDeadline = 5 * time.Second

// signing is what a sender signs with.
type signing struct {
	tag    string // the emitted one
	values []string
}

type sender struct {
	config  contract.Sender
	signs   map[string]*refusal.Reader // by endpoint
	scheme  webhook.Scheme
	source  *standin.PublishedSecret
	client  *http.Client
	log     *slog.Logger
	queue   *retryQueue
	now     func() time.Time
	version int // written by the one goroutine that loads
	signing atomic.Pointer[signing]

	served      atomic.Int64
	presented   atomic.Int64
	retried     atomic.Int64
	redelivered atomic.Int64
}

// ServeSender runs a sender of webhooks: every POST /events/ENDPOINT is an
// event, which it signs and delivers there. It answers 202 once that was tried
// for the first time; what failed it tries again by itself, whatever the reason.
func ServeSender(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Sender
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := errors.Join(standin.Require("name", c.Name, "scheme", c.Scheme), standin.CheckPublished(c.Published)); err != nil {
		return err
	}
	scheme, err := webhook.Of(c.Scheme)
	if err != nil {
		return fmt.Errorf("check configuration: %w", err)
	}
	signs := map[string]*refusal.Reader{}
	for endpoint := range c.Endpoints {
		if signs[endpoint], err = refusal.New(c.Refusals[endpoint]); err != nil {
			return fmt.Errorf("check configuration: %s: %w", endpoint, err)
		}
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	transport := certs.Trusting(&http.Transport{MaxIdleConnsPerHost: 64})
	defer transport.CloseIdleConnections()
	s := &sender{
		config: c, signs: signs, scheme: scheme, source: source, log: logger, now: time.Now,
		client: &http.Client{Transport: transport, Timeout: deliveryDeadline},
	}
	s.queue = newRetryQueue(ctx, time.Duration(c.RetryFor), s.attempt, logger)
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("sender: signs as %s, %s, tries again for %s",
		scheme.Name, source.Describe(), time.Duration(c.RetryFor)))
	if err := source.Start(ctx, s.load); err != nil {
		return err
	}

	mux := standin.NewMux(ready, func() map[string]int64 {
		return map[string]int64{
			"served": s.served.Load(), "presented": s.presented.Load(),
			"retried": s.retried.Load(), "redelivered": s.redelivered.Load(),
		}
	}, s.queue.end)
	mux.HandleFunc("POST "+contract.EventsPath+"{endpoint}", s.event)
	source.Disturbable(mux, nil)
	return standin.ServeHTTP(ctx, listener, source.Handler(mux), logger,
		func(ctx context.Context) error { return source.Follow(ctx, s.load) },
		func(ctx context.Context) error {
			<-ctx.Done()
			s.queue.end()
			return nil
		})
}

// load reads the published secrets once. What is logged as emitting is in effect
// already.
func (s *sender) load(ctx context.Context) error {
	var doc webhookDocument
	version, secrets, err := doc.read(ctx, s.source)
	if err != nil {
		return err
	}
	if version == s.version {
		return nil
	}
	next := signing{tag: doc.Emit}
	for _, secret := range secrets {
		next.values = append(next.values, secret.value)
	}
	if s.scheme.Oldest {
		if next, err = oldest(doc); err != nil {
			return err
		}
	}
	old := s.signing.Swap(&next)
	s.version = version
	s.log.Info(string(history.KindLoaded), "identifiers", tagsOf(secrets), "identifier", next.tag)
	if old == nil || old.tag != next.tag {
		s.log.Info(string(history.KindEmitting), "identifier", next.tag)
	}
	return nil
}

// oldest is the oldest secret that was not revoked at the sender, whatever the
// team that published them wants to be emitted.
func oldest(doc webhookDocument) (signing, error) {
	for _, key := range doc.Keys {
		if !key.Revoked {
			return signing{tag: key.Tag, values: []string{key.Value}}, nil
		}
	}
	return signing{}, fmt.Errorf("load secrets: all %d are revoked", len(doc.Keys))
}

// event takes one event and makes the first attempt to deliver it.
func (s *sender) event(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("endpoint")
	url, known := s.config.Endpoints[name]
	if !known {
		standin.WriteError(w, http.StatusNotFound, fmt.Sprintf("there is no endpoint %q", name))
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, standin.MaxDocument))
	if err != nil {
		standin.WriteError(w, http.StatusBadRequest, "cannot read the event")
		return
	}
	if s.signing.Load() == nil {
		standin.WriteError(w, http.StatusServiceUnavailable, "no secret to sign with yet")
		return
	}
	d, err := s.delivery(name, url, string(payload))
	if err != nil {
		standin.WriteError(w, http.StatusInternalServerError, err.Error())
		return
	}
	became := "delivered"
	if !s.attempt(r.Context(), d) {
		became = s.queue.add(d)
	}
	s.served.Add(1)
	standin.WriteJSON(w, http.StatusAccepted, map[string]string{"id": d.id, "status": became})
}

// delivery is one event on its way to one endpoint.
type delivery struct {
	id, endpoint, url string
	body              []byte
	made              time.Time
	signed            http.Header // of the attempt before, where that is kept
	tag               string      // that it was signed with
	attempts          int
	refusals          int
}

// delivery makes an event of what is to be told.
func (s *sender) delivery(endpoint, url, payload string) (d *delivery, err error) {
	d = &delivery{id: "evt_" + rand.Text(), endpoint: endpoint, url: url, made: time.Now()}
	d.body, err = webhook.Event(d.id, webhook.TypeEvent, d.made, payload)
	return d, err
}

// attempt tries a delivery once and reports whether that is the end of it.
func (s *sender) attempt(ctx context.Context, d *delivery) (done bool) {
	if d.signed == nil || s.scheme.Anew {
		with := s.signing.Load()
		d.signed, d.tag = http.Header{}, with.tag
		s.scheme.Sign(d.signed, webhook.Message{ID: d.id, At: s.now(), Body: d.body}, with.values...)
		d.signed.Set(webhook.HeaderIdentifier, with.tag)
	}
	number := d.refusals + 1
	begin := time.Now()
	status, outcome, err := s.post(ctx, d, number)
	seen := strconv.Itoa(status)
	attributes := []any{
		"identifier", d.tag, "presenter", s.config.Name, "validator", d.endpoint, "attempt", number,
		"unasked", d.attempts > 0, "latency_us", time.Since(begin).Microseconds(),
	}
	if err != nil {
		seen, outcome = history.StatusUnavailable, history.Unavailable
		attributes = append(attributes, "detail", err.Error())
	}
	s.log.Info(history.MessagePresented, append(attributes, "status", seen, "outcome", outcome)...)
	s.presented.Add(1)
	switch {
	case d.refusals > 0:
		s.retried.Add(1)
	case d.attempts > 0:
		s.redelivered.Add(1)
	}
	d.attempts++
	if outcome == history.AuthFailure {
		d.refusals++
	}
	return err == nil && status >= 200 && status < 300
}

// post makes one request; an error means that there was no answer.
func (s *sender) post(ctx context.Context, d *delivery, number int) (status int, outcome history.Outcome, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, strings.NewReader(string(d.body)))
	if err != nil {
		return 0, "", fmt.Errorf("deliver: %w", err)
	}
	req.Header = d.signed.Clone()
	req.Header.Set(webhook.HeaderAttempt, strconv.Itoa(number))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", SenderAgent+s.config.Name)
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", fmt.Errorf("deliver: %w", err)
	}
	defer resp.Body.Close()
	// Read to the end so that the connection can be used again.
	said, err := io.ReadAll(io.LimitReader(resp.Body, standin.MaxDocument))
	if err != nil {
		return 0, "", fmt.Errorf("deliver: read answer: %w", err)
	}
	return resp.StatusCode, s.signs[d.endpoint].Outcome(resp.StatusCode, resp.Header, said), nil
}
