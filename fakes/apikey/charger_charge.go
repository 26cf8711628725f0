package apikey

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// order is one charge that a caller wants, over all attempts at it.
type order struct {
	reference string
	attempts  int
	refusals  int
}

// attempted is what came of one attempt.
type attempted struct {
	key    *apiKey
	status int // 0: there was no answer
	seen   string
	told   []any // attributes for the log
}

func (a attempted) refused() bool {
	return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
}

// retrying says whether and how it tries again, for the log.
func retrying(c contract.Charger) string {
	if c.Retries == 0 {
		return ", does not try again"
	}
	how := "with an idempotency key"
	if c.Anonymous {
		how = "without an idempotency key"
	}
	return fmt.Sprintf(", tries again %d times, after %s where there was no good answer, %s", c.Retries, time.Duration(c.RetryAfter), how)
}

func (c *charger) charge(w http.ResponseWriter, r *http.Request) {
	if c.key.Load() == nil {
		standin.WriteError(w, http.StatusServiceUnavailable, "no key to present yet")
		return
	}
	o := &order{reference: "ord_" + rand.Text()}
	last := c.attempt(r.Context(), o)
	for last.status != http.StatusCreated && o.attempts <= c.config.Retries && c.ready(r.Context(), last) {
		c.tell(last)
		last = c.attempt(r.Context(), o)
	}
	settled := history.SettledDone
	if last.status != http.StatusCreated {
		settled = history.SettledFailed
	}
	last.told = append(last.told, "settled", settled)
	c.tell(last)
	c.served.Add(1)
	if settled == history.SettledFailed {
		standin.WriteError(w, http.StatusBadGateway, "the provider answered "+last.seen)
		return
	}
	standin.WriteJSON(w, http.StatusOK, map[string]string{"status": "charged"})
}

// ready prepares another attempt, and reports whether there is to be one: after
// a refusal with a key that may be another, else after a while.
func (c *charger) ready(ctx context.Context, last attempted) bool {
	if last.refused() {
		// What cannot be read now is tried with the key that there is.
		if err := c.renew(ctx, last.key); err != nil {
			c.log.Warn(string(history.KindFetchFailed), "detail", err.Error(), "from", c.source.Place())
		}
		return ctx.Err() == nil
	}
	timer := time.NewTimer(time.Duration(c.config.RetryAfter))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// renew reads the key again that was refused, unless another was read meanwhile
// or it never is read again.
func (c *charger) renew(ctx context.Context, refused *apiKey) error {
	if standin.Once(c.config.Published) || c.key.Load() != refused {
		return nil
	}
	return c.load(ctx)
}

// attempt tries once.
func (c *charger) attempt(ctx context.Context, o *order) attempted {
	a := attempted{key: c.key.Load()}
	number := o.refusals + 1
	begin := time.Now()
	status, err := c.present(ctx, a.key, o, number)
	a.status, a.seen = status, strconv.Itoa(status)
	a.told = []any{
		"identifier", a.key.tag, "presenter", c.config.Name, "attempt", number, "unasked", o.attempts > 0,
		"latency_us", time.Since(begin).Microseconds(), "order", o.reference,
	}
	if err != nil {
		a.seen = history.StatusUnavailable
		a.told = append(a.told, "detail", err.Error())
	}
	c.presented.Add(1)
	o.attempts++
	if a.refused() {
		o.refusals++
	}
	return a
}

// tell logs an attempt.
func (c *charger) tell(a attempted) {
	c.log.Info(history.MessagePresented, append(a.told, "status", a.seen)...)
}

// present makes one call to the provider; an error means that there was no answer.
func (c *charger) present(ctx context.Context, key *apiKey, o *order, number int) (status int, err error) {
	body, err := json.Marshal(map[string]string{"order": o.reference})
	if err != nil {
		return 0, fmt.Errorf("charge: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.config.Provider, "/")+"/charges", strings.NewReader(string(body)))
	if err != nil {
		return 0, fmt.Errorf("charge: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+key.value)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", ChargerAgent+c.config.Name)
	req.Header.Set(webhook.HeaderIdentifier, key.tag)
	req.Header.Set(webhook.HeaderAttempt, strconv.Itoa(number))
	if !c.config.Anonymous {
		req.Header.Set(headerIdempotency, o.reference)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("charge: %w", err)
	}
	defer resp.Body.Close()
	// Read to the end so that the connection can be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, standin.MaxDocument)); err != nil {
		return 0, fmt.Errorf("charge: read answer: %w", err)
	}
	return resp.StatusCode, nil
}
