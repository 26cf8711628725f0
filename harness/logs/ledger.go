package logs

import (
	"cmp"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// ledger compares what consumers were asked to do with what the authority did, by the logs of both. It
// keeps the open orders, and figures.
type ledger struct {
	untold    func(presenter string) bool // who tells nothing of orders
	mu        sync.Mutex
	told      bool // anything at all
	sum       history.Ledger
	open      map[string]openOrder
	irregular map[history.Irregular]*history.Irregular // by what they have in common
}

// openOrder is an order that only one side has told of.
type openOrder struct {
	like    history.Irregular // what it will be, if it is irregular
	at      history.Offset
	settled history.Settled
	done    bool // by the authority
}

func newLedger(untold func(presenter string) bool) *ledger {
	return &ledger{untold: untold, open: map[string]openOrder{}, irregular: map[history.Irregular]*history.Irregular{}}
}

// effect takes what an authority did for an order.
func (l *ledger) effect(at history.Offset, order string, effect history.Effect, like history.Irregular) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch effect {
	case history.EffectReplayed:
		l.sum.Replayed++
	case history.EffectAgain:
		l.done(like.Presenter)
		like.What = history.DoneTwice
		l.count(at, like)
	case history.EffectMade:
		if !l.done(like.Presenter) {
			break
		}
		o := l.open[order]
		o.done, o.at = true, at
		like.Earlier, like.Idempotent = "", false
		o.like = like
		l.close(order, o)
	}
	l.told = true
}

// done counts an effect, and reports whether its presenter tells of orders.
func (l *ledger) done(presenter string) bool {
	if l.untold(presenter) {
		l.sum.Untold++
		return false
	}
	l.sum.Effects++
	return true
}

// settled takes what a consumer told its caller.
func (l *ledger) settled(at history.Offset, order string, settled history.Settled, like history.Irregular) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = true
	l.sum.Orders++
	if settled == history.SettledDone {
		l.sum.Done++
	}
	o := l.open[order]
	o.settled = settled
	if !o.done {
		o.at, o.like = at, like
	}
	l.close(order, o)
}

// close removes an order that both sides have told of.
func (l *ledger) close(order string, o openOrder) {
	if !o.done || o.settled == "" {
		l.open[order] = o
		return
	}
	delete(l.open, order)
	if o.settled == history.SettledFailed {
		o.like.What = history.Unconfirmed
		l.count(o.at, o.like)
	}
}

func (l *ledger) count(at history.Offset, like history.Irregular) {
	found := l.irregular[like]
	if found == nil {
		first := like
		first.First = at
		found = &first
		l.irregular[like] = found
	}
	found.First, found.Last, found.Count = min(found.First, at), max(found.Last, at), found.Count+1
}

// conclude is the ledger once no more lines come; false where nobody logs orders. An order that the
// consumer gave up and the authority never saw is in order.
func (l *ledger) conclude() (history.Ledger, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.open {
		switch {
		case o.done:
			o.like.What = history.Unconfirmed
		case o.settled == history.SettledDone:
			o.like.What = history.NotDone
		default:
			continue
		}
		l.count(o.at, o.like)
	}
	clear(l.open)
	for _, found := range l.irregular {
		l.sum.Irregular = append(l.sum.Irregular, *found)
	}
	clear(l.irregular)
	slices.SortFunc(l.sum.Irregular, func(a, b history.Irregular) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.What, b.What), cmp.Compare(a.Presenter, b.Presenter), cmp.Compare(a.Credential, b.Credential))
	})
	return l.sum, l.told
}
