package simulated

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// order is a charge that a client wants, through all attempts of its emitter: what the provider did for
// it, and when it is retried.
type order struct {
	client  *client
	session *session
	front   history.CellKey
	from    *emitter
	by      *member // of the emitter, from the first attempt on
	to      *validator
	lost    bool // its first answer does not arrive
	refused bool
	tries   int
	done    []charge
}

// charge is one effect of an order.
type charge struct{ credential, answered string }

// ask makes a client's request without a token at an emitter, which presents its credential to the
// authority.
func (c *client) ask(s *session) {
	w := c.world
	front := history.CellKey{Source: history.FromLoad, Presenter: c.limits.Name, Validator: c.limits.To}
	e := w.emitters[c.limits.To]
	if e == nil || !w.reaches(loadName, e.name) {
		w.count(front, decision{session: s, outcome: history.Unavailable, status: "refused"})
		return
	}
	if v := w.authority(); v != nil {
		(&order{client: c, session: s, front: front, from: e, to: v, lost: fails(c.random, w.services[v.name])}).attempt()
	}
}

// authority is the authority that emitters present to; nil: there is none.
func (w *World) authority() *validator {
	for _, name := range w.order {
		if v := w.validators[name]; v != nil && v.authority {
			return v
		}
	}
	return nil
}

// attempt tries an order, and again as its emitter does.
func (o *order) attempt() {
	w, emitter := o.client.world, o.client.world.services[o.from.name]
	w.settleFor(o.from.name)
	if o.by == nil {
		o.by = o.from.any()
	}
	credential := o.by.loaded.emit
	o.session.credential = credential
	d := o.client.decision(o.session, o.from.name, o.to.name)
	d.retry = o.refused
	if o.tries > 0 && !o.refused {
		w.totals.Scheduled++ // by the emitter itself
	}
	answer := o.charge(credential, d)
	w.count(history.CellKey{Source: history.FromAuthority, Presenter: o.from.name, Validator: o.to.name, Credential: credential}, d)
	o.tries++
	o.refused = o.refused || d.outcome == history.AuthFailure
	switch {
	case answer == "200":
		o.settle(d)
	case o.tries > emitter.Retries:
		d.outcome, d.status = history.Unavailable, "502" // its users know nothing of the key
		o.settle(d)
	case d.outcome == history.AuthFailure:
		if o.from.rereads() {
			o.from.load(o.by)
		}
		o.attempt()
	default:
		w.orders = append(w.orders, o)
		w.clock.at(w.now()+history.Offset(w.limits.Wall(emitter.RetryAfter.Duration())), o.again)
	}
}

// again retries a waiting order.
func (o *order) again() {
	w := o.client.world
	if i := slices.Index(w.orders, o); i >= 0 {
		w.orders = slices.Delete(w.orders, i, i+1)
		o.attempt()
	}
}

// drain finishes the waiting orders, as the load does when it stops: clients wait for their answers.
func (w *World) drain() {
	for len(w.orders) > 0 {
		w.orders[0].again()
	}
}

// charge is the provider's effect and answer. It recognises an order by the emitter's name for it, if
// the emitter gives one and the provider looks.
func (o *order) charge(credential string, d decision) (answer string) {
	w, provider := o.client.world, o.client.world.services[o.to.name]
	if d.outcome == history.Unavailable || d.outcome == history.AuthFailure && !provider.ChecksLate {
		return d.status
	}
	answer = d.status
	named := w.services[o.from.name].Idempotency != scenario.None && provider.Idempotency != scenario.None
	for _, c := range o.done {
		if named && (c.credential == credential || provider.Idempotency != "key") {
			w.ledger.Replayed++
			return answer
		}
	}
	if o.lost && len(o.done) == 0 && d.outcome == history.OK {
		answer = "504"
	}
	w.ledger.Effects++
	if len(o.done) > 0 {
		w.irregular(history.Irregular{
			What: history.DoneTwice, Presenter: o.from.name, Validator: o.to.name, Credential: credential,
			Earlier: o.done[0].credential, Was: o.done[0].answered, Idempotent: w.services[o.from.name].Idempotency != scenario.None,
		})
	}
	o.done = append(o.done, charge{credential, answer})
	return answer
}

// settle answers the client.
func (o *order) settle(d decision) {
	w := o.client.world
	d.retry = false
	w.count(o.front, d)
	w.ledger.Orders++
	switch {
	case d.outcome == history.OK:
		w.ledger.Done++
	case len(o.done) > 0:
		w.irregular(history.Irregular{
			What: history.Unconfirmed, Presenter: o.from.name, Validator: o.to.name, Credential: o.done[0].credential, Was: o.done[0].answered,
		})
	}
}

// irregular records an irregular order.
func (w *World) irregular(like history.Irregular) {
	for i, known := range w.ledger.Irregular {
		if known.First, known.Last, known.Count = 0, 0, 0; known == like {
			w.ledger.Irregular[i].Last = w.now()
			w.ledger.Irregular[i].Count++
			return
		}
	}
	like.First, like.Last, like.Count = w.now(), w.now(), 1
	w.ledger.Irregular = append(w.ledger.Irregular, like)
}
