package apikey

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// headerIdempotency names an attempt, as at Stripe: another one with the same
// name is answered with what came of the first.
const headerIdempotency = "Idempotency-Key"

// presentation is one call with an API key.
type presentation struct {
	tag        string
	identified string // what the log calls the key
	presenter  string
	accepted   bool
	locked     bool  // whatever the key is, the account is
	told       []any // attributes for the log
	way        contract.Call
}

// presented looks at the key of a call that came in a way.
func (p *provider) presented(r *http.Request, way contract.Call) presentation {
	begin := time.Now()
	locked, opened := p.lockout.locked()
	key := p.keys.check(way.Key(r), locked)
	took := time.Since(begin)
	if opened {
		p.log.Info(string(history.KindUnlocked))
	}
	if key.ceased {
		p.log.Info(string(history.KindForgot), "identifier", key.tag)
	}
	call := presentation{tag: cmp.Or(key.tag, history.UnknownIdentifier), accepted: key.accepted, locked: locked, way: way}
	// Of a key that is none of its own, what the log calls it is the presenter's word.
	call.identified = cmp.Or(key.tag, r.Header.Get(webhook.HeaderIdentifier), history.UnknownIdentifier)
	call.presenter = strings.TrimPrefix(r.UserAgent(), ChargerAgent)
	call.told = []any{
		"identifier", call.identified, "presenter", call.presenter, "remote", standin.Caller(r), "attempt", standin.AttemptOf(r.Header), "latency_us", took.Microseconds(),
	}
	return call
}

// refuse answers a call whose key is not accepted, or whose account is locked.
func (p *provider) refuse(w http.ResponseWriter, call presentation) {
	p.refused.Add(1)
	status := cmp.Or(call.way.Refuses, http.StatusUnauthorized)
	if call.locked {
		status = http.StatusForbidden
	}
	p.log.Info(history.MessageRefused, append(call.told, "status", strconv.Itoa(status))...)
	if call.locked {
		standin.WriteJSON(w, status, map[string]string{"error": "too many refused calls, the account is locked", "code": contract.CodeLocked})
		return
	}
	if by, locks := p.lockout.refused(call.presenter, call.identified); locks {
		p.log.Info(string(history.KindLocked), "identifier", by.tag, "presenter", by.presenter, "count", by.calls,
			"detail", fmt.Sprintf("%d of %d refused calls within %s", by.most, by.calls, by.took.Round(time.Millisecond)))
	}
	if call.way.Header == "" {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 §3
	}
	standin.WriteError(w, status, "invalid API key")
}

// accept counts a call whose key is accepted, before it is answered.
func (p *provider) accept(call presentation, status int) {
	p.accepted.Add(1)
	p.log.Info(history.MessageAccepted, append(call.told, "status", strconv.Itoa(status))...)
}

// balance decides about a key and does nothing else: who wants to know whether
// a key is taken asks for it.
func (p *provider) balance(w http.ResponseWriter, r *http.Request) {
	call := p.presented(r, contract.Call{})
	if !call.accepted {
		p.refuse(w, call)
		return
	}
	p.accept(call, http.StatusOK)
	standin.WriteJSON(w, http.StatusOK, p.ledger.totals())
}

// charge makes one charge, if the key is accepted. The order that it is for is
// the merchant's own reference, by which two charges for the same are known
// afterwards; it keeps nothing from being charged twice.
func (p *provider) charge(w http.ResponseWriter, r *http.Request) { p.chargeAs(w, r, contract.Call{}) }

// chargeAs is charge for a call that came in a way.
func (p *provider) chargeAs(w http.ResponseWriter, r *http.Request, way contract.Call) {
	call := p.presented(r, way)
	if !call.accepted && (!p.config.ChecksLate || call.locked || call.tag == history.UnknownIdentifier) {
		p.refuse(w, call)
		return
	}
	var body struct {
		Order string `json:"order"`
	}
	// A charge without an order is one that nobody can recognise.
	_ = json.NewDecoder(http.MaxBytesReader(w, r.Body, standin.MaxDocument)).Decode(&body)
	want := wanted{body.Order, r.Header.Get(headerIdempotency), call.tag}
	made, effect, earlier := p.ledger.enter(want)
	status := p.answer(call, body.Order, effect)
	call.told = append(call.told, "order", body.Order, "effect", effect, "idempotent", want.idempotency != "")
	if earlier != nil {
		call.told = append(call.told, "earlier", earlier.tag, "was", p.ledger.answered(earlier, status))
	} else {
		p.ledger.answered(made, status)
	}
	if effect == history.EffectReplayed {
		w.Header().Set("Idempotent-Replayed", "true") // as Stripe says it
	}
	switch status {
	case cmp.Or(way.Refuses, http.StatusUnauthorized):
		p.refuse(w, call)
	case http.StatusGatewayTimeout:
		p.accept(call, status)
		standin.WriteError(w, status, "no answer in time")
	default:
		p.accept(call, status)
		standin.WriteJSON(w, status, map[string]string{"id": made.id, "status": "succeeded"})
	}
}

// answer is what a call is answered whose charge was made.
func (p *provider) answer(call presentation, order string, effect history.Effect) int {
	switch {
	case !call.accepted:
		return cmp.Or(call.way.Refuses, http.StatusUnauthorized)
	case effect == history.EffectMade && order != "" && standin.Chosen(order, p.config.Fails):
		return http.StatusGatewayTimeout
	}
	return cmp.Or(call.way.Answers, http.StatusCreated)
}
