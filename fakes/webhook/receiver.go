package webhook

import (
	"context"
	"encoding/json"
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
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

type receiver struct {
	config    contract.Receiver
	library   webhookLibrary
	source    *standin.PublishedSecret
	clock     standin.Clock
	log       *slog.Logger
	held      atomic.Pointer[[]webhookSecret]
	accepted  atomic.Int64
	refused   atomic.Int64
	undecided atomic.Int64
}

// ServeReceiver runs a service that takes webhooks: every POST is checked with
// the library of its scheme, against each of the secrets that it read from the
// store. It answers 204, 401 where no secret matches or the timestamp is not
// within tolerance, or 503 where it could not process what it has checked.
func ServeReceiver(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Receiver
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := errors.Join(standin.Require("name", c.Name, "scheme", c.Scheme), standin.CheckPublished(c.Published)); err != nil {
		return err
	}
	library, known := webhookLibraries[c.Scheme]
	if !known {
		return fmt.Errorf("check configuration: scheme %q is not known, want one of %s", c.Scheme, strings.Join(webhook.Names(), ", "))
	}
	if c.Holds < 0 || c.Fails < 0 || c.Fails > 1 {
		return fmt.Errorf("check configuration: holds is %d and fails is %v, want at least 0, and a share", c.Holds, c.Fails)
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	v := &receiver{config: c, library: library, source: source, clock: standin.NewClock(source.Orders()), log: logger}
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("receiver: %s, %s, holds %s, fails %.3g%%",
		library.describe(), source.Describe(), v.room(), 100*c.Fails))
	if err := source.Start(ctx, v.load); err != nil {
		return err
	}

	mux := standin.NewMux(ready, func() map[string]int64 {
		accepted, refused, undecided := v.accepted.Load(), v.refused.Load(), v.undecided.Load()
		return map[string]int64{"served": accepted + refused + undecided, "accepted": accepted, "refused": refused, "undecided": undecided}
	})
	mux.HandleFunc("POST /", v.receive)
	source.Disturbable(mux, map[string]func(string) error{contract.OrderClock: standin.CheckShift})
	return standin.ServeHTTP(ctx, listener, source.Handler(v.clock.Dated(mux)), logger, func(ctx context.Context) error {
		return source.Follow(ctx, v.load)
	})
}

func (v *receiver) room() string {
	if v.config.Holds == 0 {
		return "all"
	}
	return strconv.Itoa(v.config.Holds)
}

// load reads the published secrets once. What is logged as learned is in effect
// already.
func (v *receiver) load(ctx context.Context) error {
	var doc webhookDocument
	_, secrets, err := doc.read(ctx, v.source)
	if err != nil {
		return err
	}
	keeps := secrets
	if v.config.Holds > 0 && len(keeps) > v.config.Holds {
		keeps = keeps[:v.config.Holds]
	}
	var before []string
	if old := v.held.Swap(&keeps); old != nil {
		before = tagsOf(*old)
	}
	standin.TellFetched(v.log, "store", tagsOf(secrets), before, tagsOf(keeps))
	return nil
}

// receive decides about one delivery.
func (v *receiver) receive(w http.ResponseWriter, r *http.Request) {
	held := v.held.Load()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, standin.MaxDocument))
	presenter := strings.TrimPrefix(r.UserAgent(), SenderAgent)
	switch {
	case err != nil: // the sender has left, and counts it as not answered
		v.undecided.Add(1)
		v.log.Info(history.MessageUndecided, "status", "400", "detail", "cut off")
		standin.WriteError(w, http.StatusBadRequest, "cut off")
		return
	case held == nil:
		v.undecided.Add(1)
		v.log.Info(history.MessageUndecided, "status", "503", "detail", "not ready",
			"presenter", presenter, "identifier", r.Header.Get(webhook.HeaderIdentifier), "attempt", standin.AttemptOf(r.Header))
		standin.WriteError(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	begin := time.Now()
	tag, err := v.check(*held, r.Header, body)
	took := time.Since(begin)
	told := []any{"presenter", presenter, "remote", standin.Caller(r), "attempt", standin.AttemptOf(r.Header), "latency_us", took.Microseconds()}
	if signedAnew(r.Header, begin) {
		told = append(told, "anew", true)
	}
	if err != nil {
		if tag == "" { // none of its own: the sender's word, for the log
			tag = r.Header.Get(webhook.HeaderIdentifier)
		}
		if tag == "" {
			tag = history.UnknownIdentifier
		}
		v.refused.Add(1)
		v.log.Info(history.MessageRefused, append(told, "identifier", tag, "status", "401", "detail", err.Error())...)
		standin.WriteError(w, http.StatusUnauthorized, err.Error())
		return
	}
	// Whether the event can be processed is no question of the secret.
	status := http.StatusNoContent
	if v.fails(body) {
		status = http.StatusServiceUnavailable
	}
	v.accepted.Add(1)
	v.log.Info(history.MessageAccepted, append(told, "identifier", tag, "status", strconv.Itoa(status))...)
	w.WriteHeader(status)
}

// check tries each secret, as a service must whose library holds one: the tag
// of the one that matched, or why none did. A delivery whose signature is right
// and whose timestamp is not is told with the tag that it was signed with.
func (v *receiver) check(held []webhookSecret, h http.Header, body []byte) (tag string, err error) {
	err = errors.New("it holds no secret")
	for _, secret := range held {
		if err = v.library.check(secret.value, h, body, v.clock.Shift()); err == nil {
			return secret.tag, nil
		}
	}
	for _, secret := range held {
		if v.library.matches(secret.value, h, body) {
			return secret.tag, err
		}
	}
	return "", err
}

// fails reports whether an event is one that the receiver cannot process; it
// does so at every attempt.
func (v *receiver) fails(body []byte) bool {
	var event struct{ ID, Type string }
	// What cannot be parsed has no id: what it is was for the library to say.
	_ = json.Unmarshal(body, &event)
	return event.Type != webhook.TypeProbe && standin.Chosen(event.ID, v.config.Fails)
}
