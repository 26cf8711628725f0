package accuracy

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Webhook secrets: a sender, and receivers that read the secret themselves. A
// sender keeps what failed and tries it again for as long as the page's longest
// life; the schemes say whether it signs that anew.

// hook is what a drawn rehearsal of a webhook secret has beside the others.
type hook struct {
	scheme    string
	receivers []receiver
}

// receiver takes deliveries; refresh is how often it reads the secret, in page time.
type receiver struct {
	name    string
	refresh time.Duration
	onPage  bool
	pinned  bool
	fails   int // percent of what it takes for authentic and cannot process
	rate    int // of its deliveries, per second
}

// once are the schemes that sign a delivery once, with one secret.
var once = []string{"github"}

// holdingHook draws a webhook secret whose page holds all bounds.
func (d *draw) holdingHook(schemes ...string) *rehearsal {
	r := &rehearsal{speed: one(d, 30, 60), objective: "99.9%", baseline: d.between(4*time.Minute, 6*time.Minute), hook: &hook{scheme: one(d, schemes...)}}
	r.gates = one(d, "enforce", "observe", "off")
	r.refresh = d.between(r.inPage(500*time.Millisecond)+time.Second, time.Minute)
	r.propagation = d.between(0, time.Minute)
	r.life = d.between(r.inPage(5*time.Second), 6*time.Minute) // no less can be kept at this speed
	slowest := time.Duration(0)
	for i := range d.number(1, 2) {
		v := receiver{name: fmt.Sprintf("receiver-%d", i+1), onPage: true, refresh: d.between(r.inPage(time.Second), 3*time.Minute), rate: d.number(20, 40)}
		if d.chance(0.4) {
			v.fails = d.number(2, 20)
		}
		slowest = max(slowest, v.refresh)
		r.hook.receivers = append(r.hook.receivers, v)
	}
	// What a receiver learns and forgets in is its own refresh: it asks nobody.
	r.lead = slowest + r.propagation + d.between(30*time.Second, 3*time.Minute)
	r.window = r.g2() + r.inPage(1500*time.Millisecond) + d.between(time.Minute, 3*time.Minute)
	r.watch = slowest + r.propagation + r.inPage(certain) + d.between(time.Minute, 3*time.Minute)
	r.canary = d.chance(0.5)
	return r
}

func (r *rehearsal) hookPage() string {
	var b strings.Builder
	b.WriteString("apiVersion: rehearse/v1\nkind: Runbook\nscope: {name: drawn, family: webhook-secret}\n")
	b.WriteString("storage: {store: vault, publish: {path: secret/data/drawn/hook}, distribution: poll}\nconsumers:\n")
	fmt.Fprintf(&b, "  - {name: payments, roles: [emit], refresh: %s}\n", text(r.refresh))
	for _, v := range r.hook.receivers {
		if v.onPage {
			fmt.Fprintf(&b, "  - {name: %s, roles: [validate], refresh: %s}\n", v.name, text(v.refresh))
		}
	}
	fmt.Fprintf(&b, "format: {type: %s, identifier: tag, longest_life: %s}\n", r.hook.scheme, text(r.life))
	return b.String()
}

func (r *rehearsal) hookServices() string {
	var b strings.Builder
	b.WriteString("services:\n  payments: {serve: sender" + pinned(r.pinned) + "}\n")
	for _, v := range r.hook.receivers {
		fmt.Fprintf(&b, "  %s: {serve: receiver, fails: %d%%%s}\n", v.name, v.fails, pinned(v.pinned))
	}
	b.WriteString("load:\n")
	for i, v := range r.hook.receivers {
		fmt.Fprintf(&b, "  - {client: client-%d, to: payments, endpoint: %s, rate: %d/s}\n", i+1, v.name, v.rate)
	}
	return b.String()
}

func pinned(is bool) string {
	if is {
		return ", pinned: true"
	}
	return ""
}

func hookHolds(d *draw) (*rehearsal, Truth) {
	return d.holdingHook("github", "stripe", "standard-webhooks"), Truth{Verdict: Pass}
}

// hookMissed has a receiver that nobody wrote on the page keep the secret of its
// start.
func hookMissed(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook(once...)
	r.hook.receivers = append(r.hook.receivers, receiver{name: "audit", pinned: true, rate: d.number(20, 40)})
	return r, Truth{Verdict: Fail, Named: [][]string{{"audit"}}}
}

// hookNeverReloads has a receiver on the page that keeps the secret of its start.
func hookNeverReloads(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook("github", "stripe", "standard-webhooks")
	r.hook.receivers[0].pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{r.hook.receivers[0].name}}}
}

// hookStuck has the sender go on with the old secret.
func hookStuck(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook(once...)
	r.pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"payments"}}}
}

// hookQueued revokes while much that the old secret signed, once, waits to be
// tried again.
func hookQueued(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook(once...)
	for i := range r.hook.receivers {
		r.hook.receivers[i].fails = 0
	}
	v := &r.hook.receivers[0]
	v.fails, v.rate = 30, 40
	r.gates = one(d, letGo...)
	r.life = d.between(5*time.Minute, 8*time.Minute)
	r.propagation = d.between(0, 30*time.Second)
	v.refresh = min(v.refresh, time.Minute) // it drops the old one while the queue is full
	r.window = d.between(30*time.Second, time.Minute)
	return r, Truth{Verdict: Fail, Named: [][]string{{"payments"}}}
}

// hookThin has hardly any deliveries: nobody can tell.
func hookThin(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook("github", "stripe", "standard-webhooks")
	r.world.RateFactor = one(d, 0.001, 0.01, 0.1)
	return r, Truth{Verdict: Inconclusive}
}

// hookBack takes the secret back from a phase: what the new one signed is waited
// for, so that nobody is hurt. Only after the revoke may deliveries be in the
// queue that the old one signed, which are refused until it is back.
func hookBack(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook("github", "stripe", "standard-webhooks")
	r.back = one(d, history.Accept, history.Verify, history.Emit, history.Overlap, history.Revoke, history.Watch)
	return r, Truth{Verdict: Pass}
}

// hookCompromised takes the new secret back at once while much that it signed
// waits to be tried again.
func hookCompromised(d *draw) (*rehearsal, Truth) {
	r, truth := hookQueued(d)
	r.window = r.g2() + r.inPage(1500*time.Millisecond) + time.Minute
	r.back, r.compromised = history.Overlap, true
	// Much of what was signed last is still tried again when the receiver reads
	// that its secret is gone, some seconds later.
	r.hook.receivers[0].fails = 70
	return r, truth
}
