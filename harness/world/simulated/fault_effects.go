package simulated

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// takeDown ends or freezes a service. One that was ended loses what it kept in memory.
func (w *World) takeDown(name string, frozen bool) (undo func()) {
	w.down[name], w.frozen[name] = true, frozen
	return func() {
		w.down[name], w.frozen[name] = false, false
		if frozen {
			return
		}
		if e := w.emitters[name]; e != nil && e.rereads() {
			e.loadAll()
		}
		if v := w.validators[name]; v != nil && !v.authority && !v.pinned {
			for _, r := range v.replicas {
				v.fetch(r)
			}
		}
	}
}

// breakWay blocks the way from one service to another.
func (w *World) breakWay(f scenario.Fault, status string) (undo func()) {
	at := edge{f.From, f.To}
	w.broken[at] = status
	return func() { delete(w.broken, at) }
}

// reaches reports whether a service gets an answer of another.
func (w *World) reaches(from, to string) bool { return !w.down[to] && w.broken[edge{from, to}] == "" }

// disturbRollouts makes a consumer keep what it was started with, whatever it is rolled out for, until
// rollouts work again.
func (w *World) disturbRollouts(f scenario.Fault) (undo func()) {
	w.heldBack[f.On] = true
	return func() {
		delete(w.heldBack, f.On)
		if e := w.emitters[f.On]; e != nil {
			e.deliver()
		}
		if v := w.validators[f.On]; v != nil {
			v.deliver()
		}
	}
}

// spoil makes every new secret that a consumer gets a wrong one.
func (w *World) spoil(f scenario.Fault) (undo func()) {
	w.spoilt[f.On] = slices.Clone(w.published.set)
	return func() { delete(w.spoilt, f.On) }
}

// fits reports whether a consumer's value of a credential is the published one.
func (w *World) fits(consumer, credential string) bool {
	good, disturbed := w.spoilt[consumer]
	return !disturbed || slices.Contains(good, credential)
}

// spoiled reports whether a consumer was ever given a spoilt secret.
func (w *World) spoiled(f scenario.Fault) bool { return w.gaveSpoilt[f.On] }

// spoilNew notes the consumers whose new secrets are spoilt, among those that are given one now.
func (w *World) spoilNew() {
	for consumer := range w.spoilt {
		for _, credential := range w.published.set {
			w.gaveSpoilt[consumer] = w.gaveSpoilt[consumer] || !w.fits(consumer, credential)
		}
	}
}

// defaultCacheTTL is how long a cache that was put in keeps an answer, as harness/fault has it.
const defaultCacheTTL = 40 * time.Minute

// insertCache puts a shared cache on the way of a validator, named as in harness/fault.
func (w *World) insertCache(f scenario.Fault) (undo func()) {
	ttl := f.TTL.Duration()
	if ttl == 0 {
		ttl = defaultCacheTTL
	}
	at := edge{f.From, f.To}
	w.inserted[at] = newCache(w, "cache-"+f.From+"-"+f.To, f.To, history.Offset(w.limits.Wall(ttl)), 1)
	return func() { delete(w.inserted, at) }
}

// setAnswer is an issuer's answer in place of its key set.
type setAnswer struct {
	answer string
	every  history.Offset // wall time between right answers; 0: none is right
	spare  int
	at     history.Offset
}

// answerElse makes an issuer give that answer.
func (w *World) answerElse(f scenario.Fault) (undo func()) {
	a := &setAnswer{answer: f.Answer, at: w.now()}
	if f.Limit > 0 {
		a.every, a.spare = history.Offset(float64(time.Second)/float64(f.Limit)), max(1, int(f.Limit))
	}
	w.answers[f.On] = a
	return func() { delete(w.answers, f.On) }
}

// lets reports whether a request is answered normally; with a limit, as many at once as in a second.
func (a *setAnswer) lets(now history.Offset) bool {
	if a.every == 0 {
		return false
	}
	most := max(1, int(history.Offset(time.Second)/a.every))
	if came := int((now - a.at) / a.every); came > 0 {
		a.spare, a.at = min(most, a.spare+came), a.at+history.Offset(came)*a.every
	}
	if a.spare == 0 {
		return false
	}
	a.spare--
	return true
}

// defaultGarbage is how often a made-up name is shown, as harness/fault has it.
const defaultGarbage = time.Minute

// showGarbage shows a validator names that nobody has made.
func (w *World) showGarbage(f scenario.Fault) (undo func()) {
	every := f.Every.Duration()
	if every == 0 {
		every = defaultGarbage
	}
	v, n, over := w.validators[f.On], 0, false
	var show func()
	show = func() {
		if over {
			return
		}
		n++
		p := history.Probe{Purpose: history.Garbage, Latency: history.Offset(latency * time.Microsecond), Presentation: "made-up kid"}
		fetches := v.fetches
		p.Outcome, p.Status = v.decide("", fmt.Sprintf("made-up %d", n))
		p.CausedFetch = v.fetches > fetches
		w.probed(p)
		w.record(history.Event{Kind: history.KindProbe, Service: f.On, Probe: &p})
		w.clock.at(w.now()+v.wall(every), show)
	}
	show()
	return func() { over = true }
}

// probed counts a probe.
func (w *World) probed(p history.Probe) {
	w.totals.Probes++
	w.totals.Scheduled++
	w.total(decision{outcome: p.Outcome, status: p.Status}, 1)
}

// killRotator makes the rotator die in its next step, between authority and publication; another takes
// the step up when the fault is over.
func (w *World) killRotator(scenario.Fault) (undo func()) {
	w.dies = &signal{}
	return func() {
		if w.dies != nil {
			w.clock.give(w.dies)
			w.dies = nil
		}
	}
}

// thirdCredential is what another rotation makes.
const thirdCredential = "k3"

// rotateToo begins another rotation, which knows of this one only what is published: it accepts a third
// credential and removes the oldest of two at once.
func (w *World) rotateToo() {
	set := w.accepted()
	w.record(history.Event{Kind: history.KindCredential, Credential: thirdCredential, Identifier: "kid-" + thirdCredential, Detail: "made by another rotation"})
	emit := w.keyring.Emit
	if gone := set[:max(0, len(set)-slots+1)]; len(gone) > 0 {
		set = set[len(gone):]
		if slices.Contains(gone, emit) {
			emit = thirdCredential
		}
	}
	w.crossed = append(slices.Clone(set), thirdCredential)
	w.put(w.crossed, emit)
}

// putBack makes an authority take the oldest credential and no other accepted one, until the keyring's
// are restored.
func (w *World) putBack(f scenario.Fault) (undo func()) {
	v := w.validators[f.On]
	oldest := slices.Min(slices.Collect(maps.Keys(w.keyring.Credentials)))
	accepted := w.accepted()
	v.thrownOut = slices.DeleteFunc(slices.Clone(accepted), func(c string) bool { return c == oldest })
	if !slices.Contains(accepted, oldest) {
		v.putBack = oldest
	}
	v.decided()
	return func() {
		v.thrownOut, v.putBack = nil, ""
		v.decided()
	}
}

// nameOn is the name on a presenter's token: the credential that it was made with, unless a fault puts
// another there. The harness makes its own tokens.
func (w *World) nameOn(presenter, credential string) string {
	if len(w.oldNames) == 0 || presenter == "" || slices.Contains(w.oldNames, credential) {
		return credential
	}
	return w.oldNames[0]
}

// takesType reports whether a validator takes the key type of a credential, which a fault may have
// changed.
func (v *validator) takesType(credential string) bool {
	w := v.world
	if !w.odd[credential] {
		return true
	}
	algorithms := w.services[v.name].Algorithms
	return len(algorithms) == 0 || len(algorithms) > 1
}
