package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// reusedKid explains refusals of a new key that was published under the name of
// the old one: there were more keys in the set than names.
func (e *evidence) reusedKid(v plan.Validator) (explanation, bool) {
	accepted, _ := e.done(string(keyring.Accept), e.fresh)
	for _, event := range e.events {
		if event.Kind != history.KindPublished || event.Service != v.From || event.At < accepted || slices.Contains(event.Credentials, e.fresh) {
			continue
		}
		if names := slices.Compact(slices.Sorted(slices.Values(event.Credentials))); len(names) < len(event.Credentials) {
			return explanation{
				cause: CauseReusedKid, consumer: v.From,
				why: fmt.Sprintf("%s published %d keys under the name of %s, so that %s took it for the key that it had", v.From, len(event.Credentials), names[0], v.Name),
				fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
	}
	return explanation{}, false
}

// coolingDown explains refusals of a new key that a validator would have
// fetched, had it not done so for another name just before.
func (e *evidence) coolingDown(v plan.Validator, sum *history.Counts) (explanation, bool) {
	accepted, _ := e.done(string(keyring.Accept), e.fresh)
	learned, ever := e.learned(v.Name, e.fresh, accepted)
	cooldown := history.Offset(e.limits.Wall(v.Cooldown))
	// Where the time to learn has the cooldown in it, it is the lead that is held
	// against it.
	if !v.OnMiss || v.Learns >= v.Cooldown || !ever || learned <= sum.FirstFailure {
		return explanation{}, false
	}
	var last history.Offset
	for _, fetch := range e.fetches(v.Name, 0, sum.FirstFailure) {
		last = max(last, fetch.At)
	}
	waited := sum.LastFailure - sum.FirstFailure
	if last == 0 || sum.FirstFailure-last >= cooldown || waited < cooldown/20 || sum.LastFailure > learned+history.Offset(nearly) {
		return explanation{}, false // it could have fetched; the wait was that of one fetch; or to fetch did not help
	}
	return explanation{
		cause: CauseCooldown,
		why: fmt.Sprintf("%s had fetched the set %s before it first met %s, without %s in it, and fetches for a name that it does not know at most once in %s",
			v.Name, e.page(sum.FirstFailure-last), e.fresh, e.fresh, plan.Text(v.Cooldown)),
		fix: fmt.Sprintf("emit at least %s after accepting, so that it can fetch once more in between; and find out who shows it names that nobody has",
			plan.Text(v.Cooldown+e.limits.Publishing(v)+e.limits.Propagation)),
	}, true
}

// notLookedFor explains refusals of a new key by a validator that fetches for a
// name that it does not know, and did not: that it had not learned the key is not why.
func (e *evidence) notLookedFor(v plan.Validator, sum *history.Counts) (explanation, bool) {
	wait := history.Offset(e.limits.Wall(v.Cooldown) + 2*nearly) // until it would have tried at the latest
	if !v.OnMiss || sum.LastFailure-sum.FirstFailure <= wait {
		return explanation{}, false
	}
	for _, event := range e.events {
		tried := event.Service == v.Name && (event.Kind == history.KindFetched || event.Kind == history.KindFetchFailed)
		if tried && event.At >= sum.FirstFailure-history.Offset(nearly) && event.At <= sum.FirstFailure+wait {
			return explanation{}, false
		}
	}
	return explanation{
		cause: CauseUnknown,
		why: fmt.Sprintf("%s did not fetch the set in the %s after it first met %s, which it does for a name that it does not know: it was refused for something else than its key",
			v.Name, e.page(wait), e.fresh),
		fix: fmt.Sprintf("look into the log of %s from %s on: it says why; hold what is signed with %s against what it takes (algorithm, kid, claims) before emitting",
			v.Name, sum.FirstFailure, e.fresh),
	}, true
}

// tellRefusedThoughLearned tells of a new credential that its validator had, and
// refused all the same. Where both sides hold a value it may be another one.
func (e *evidence) tellRefusedThoughLearned(key history.CellKey, v plan.Validator, sum *history.Counts, after history.Offset) explanation {
	told := explanation{
		cause: CauseUnknown,
		why:   fmt.Sprintf("it was refused although %s had learned it %s after it was accepted", v.Name, e.page(after)),
		fix:   fmt.Sprintf("look into the log of %s from %s on", v.Name, sum.FirstFailure),
	}
	if v.Authority {
		told.why = fmt.Sprintf("%s has %s, and does not know what %s presents as it", v.Name, e.fresh, key.Presenter)
	}
	if v.Authority || v.Reads {
		told.fix += fmt.Sprintf("; hold what %s has as %s against what %s has, by fingerprint, before emitting", v.Name, e.fresh, key.Presenter)
	}
	return told
}
