package apikey

import (
	"strconv"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// maxStored bounds how many orders a provider remembers, the oldest of which it
// forgets first, as Stripe does after a day.
const maxStored = 100_000

// charged is a charge that was made.
type charged struct {
	id  string
	tag string // of the API key that it was made with
	was string // the status that was answered
}

// wanted is a charge that is asked for.
type wanted struct {
	order       string // the merchant's reference; empty: it has none
	idempotency string // the idempotency key; empty: none was given
	tag         string
}

// LedgerTotals is what a provider did in all.
type LedgerTotals struct {
	Charges  int64 `json:"charges"`
	Again    int64 `json:"again"`    // of these, for an order that had one
	Replayed int64 `json:"replayed"` // answered with a charge that was there
}

// providerLedger is the charges of an account. Nothing is stored for a call that
// was refused before its execution began, so that it can be tried again.
type providerLedger struct {
	scope string

	mu     sync.Mutex
	total  LedgerTotals
	stored map[string]*charged // by idempotency key, in its scope
	orders map[string]*charged // the first charge of each order
	kept   []wanted            // what is stored, the oldest first
}

func newProviderLedger(scope string) *providerLedger {
	return &providerLedger{scope: scope, stored: map[string]*charged{}, orders: map[string]*charged{}}
}

// name is what a charge is stored under; empty: nothing.
func (l *providerLedger) name(w wanted) string {
	switch {
	case w.idempotency == "" || l.scope == contract.IdempotencyNone:
		return ""
	case l.scope == contract.IdempotencyKey:
		return w.tag + " " + w.idempotency
	}
	return w.idempotency
}

// enter makes a charge, or finds the one that was made. Earlier is the first one
// of the same order, where there was one.
func (l *providerLedger) enter(w wanted) (made *charged, effect history.Effect, earlier *charged) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := l.name(w)
	if found := l.stored[name]; found != nil {
		l.total.Replayed++
		return found, history.EffectReplayed, found
	}
	l.total.Charges++
	made, effect = &charged{id: "ch_" + strconv.FormatInt(l.total.Charges, 10), tag: w.tag}, history.EffectMade
	if name != "" {
		l.stored[name] = made
	}
	if w.order != "" {
		if earlier = l.orders[w.order]; earlier == nil {
			l.orders[w.order] = made
		} else {
			l.total.Again++
			effect = history.EffectAgain
		}
	}
	l.kept = append(l.kept, w)
	if len(l.kept) > maxStored {
		delete(l.stored, l.name(l.kept[0]))
		delete(l.orders, l.kept[0].order)
		l.kept = l.kept[1:]
	}
	return made, effect, earlier
}

// answered keeps what the first call of a charge was answered.
func (l *providerLedger) answered(c *charged, status int) (was string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.was == "" {
		c.was = strconv.Itoa(status)
	}
	return c.was
}

// totals is a copy.
func (l *providerLedger) totals() LedgerTotals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
