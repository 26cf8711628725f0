package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// nearly is wall time within which two things count as one: logs and counts
// have moments of their own.
const nearly = time.Second

// margin is what a cure adds to a measured time, in page time: the cache that
// was 14m50s old this time may be a little older the next.
const margin = 30 * time.Second

// explain finds out, from what happened, why a cell was refused: with which
// step it began, by which mechanism, who is to be looked at, and what to change.
func (e *evidence) explain(key history.CellKey, sum *history.Counts) Finding {
	f := Finding{
		Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Validator, Credential: key.Credential,
		CausedBy: e.causedBy(key, sum.FirstFailure), FirstPhase: e.phaseAt(sum.FirstFailure), Cause: CauseUnknown,
		FirstMS: sum.FirstFailure.Milliseconds(), LastMS: sum.LastFailure.Milliseconds(), Count: sum.AuthFailures,
	}
	validator, _ := e.limits.Validator(key.Validator)
	if validator.Name == "" {
		validator.Name = key.Validator
	}
	var told explanation
	made, crossed := e.crossed(key, sum)
	by, replaced := e.replaced(validator, key.Credential, sum)
	lock, locked := e.lockedOut(key, sum)
	switch {
	case locked:
		told = e.tellLockedOut(key.Validator, lock)
	case crossed:
		told = e.tellCrossed(key, validator, made)
	case replaced:
		told = e.tellReplaced(validator, key.Credential, by)
	case e.oneSlot(validator.Name, key.Credential, sum):
		told = e.tellOneSlot(validator, key.Credential)
	case key.Credential == e.fresh:
		told = e.explainFresh(key, validator, sum)
	default:
		told = e.explainOld(key, validator, sum)
	}
	if told.cause == CauseUnknown {
		e.blameAFault(&f, &told, key, validator, sum)
	}
	f.Cause, f.Fix = told.cause, told.fix
	if told.causedBy != "" {
		f.CausedBy = told.causedBy
	}
	if told.consumer != "" {
		f.Consumer = told.consumer
	}
	f.Message = fmt.Sprintf("%s was refused %s by %s with %s: %s%s",
		key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator, key.Credential, told.why, e.cite(e.disturbing(key, validator, sum)))
	return f
}

// causedBy is the step that a refusal began with: the last one before it. Only,
// a new credential is not refused because the old one is revoked: however late
// it is first seen, it was being emitted that put it to the test. Unless the old
// one was presented beside it until then.
func (e *evidence) causedBy(key history.CellKey, first history.Offset) string {
	step := e.lastStep(first)
	if key.Credential == e.fresh && !e.several(key.Presenter) && (step == string(keyring.Revoke) || step == string(keyring.Destroy)) {
		return string(keyring.Emit)
	}
	return step
}

// several reports whether what a presenter presents is every accepted credential
// at once.
func (e *evidence) several(presenter string) bool {
	m, _ := e.limits.Emitter(e.emitterOf(presenter))
	return m.Several
}

// explanation is why something was refused, and what would cure it.
type explanation struct {
	cause    Cause
	consumer string // where it is not the validator
	causedBy string // where it is not the last step before
	why, fix string
}

// oneSlot reports whether a validator fetched a set with the credential and
// did not keep it, before the failures ended.
func (e *evidence) oneSlot(validator, credential string, sum *history.Counts) bool {
	return slices.ContainsFunc(e.fetches(validator, e.start, sum.LastFailure), func(fetch history.Event) bool {
		return slices.Contains(fetch.Credentials, credential) && !slices.Contains(fetch.Holds, credential)
	})
}

func (e *evidence) tellOneSlot(v plan.Validator, credential string) explanation {
	return explanation{
		cause: CauseOneSlot,
		why:   fmt.Sprintf("%s%s fetched a set with %s in it and kept only another key: it holds one key at a time", v.Name, e.offPage(v.Name), credential),
		fix:   fmt.Sprintf("let %s hold every key of the set before the next rotation; with one slot no lead and no window is long enough", v.Name),
	}
}

// explainFresh explains refusals of the new credential: the validator had not
// learned it when it was first used. What made it late is found by asking of
// each part of the way whether the lead would have been enough without it.
func (e *evidence) explainFresh(key history.CellKey, v plan.Validator, sum *history.Counts) explanation {
	accepted, _ := e.done(string(keyring.Accept), e.fresh)
	since := accepted
	if v.Authority { // it has the new one before the step that gave it is done
		since, _ = e.begun(string(keyring.Accept), e.fresh)
	}
	learned, everLearned := e.learned(v.Name, e.fresh, since)
	emitted, _ := e.done(string(keyring.Emit), e.fresh)
	lead := emitted - accepted
	if told, there := e.withdrawnInUse(sum); there {
		return told
	}
	if told, there := e.reusedKid(v); there {
		return told
	}
	if told, there := e.brownedOut(v, accepted, sum); there {
		return told
	}
	if told, there := e.coolingDown(v, sum); there {
		return told
	}
	if told, there := e.notLookedFor(v, sum); there && !(everLearned && sum.FirstFailure >= learned) {
		return told
	}
	published, isPublished := e.view.PublishedAt[v.From][e.fresh]
	if isPublished {
		if fetch, there := e.notInSet(v, e.fresh, published+history.Offset(nearly), sum.FirstFailure+history.Offset(nearly)); there {
			return e.tellNotInSet(v, e.fresh, fetch)
		}
	}
	switch {
	case everLearned && sum.FirstFailure >= learned+history.Offset(nearly):
		if told, there := e.lostKey(v, e.fresh, sum); there {
			return told
		}
		return e.tellRefusedThoughLearned(key, v, sum, learned-accepted)
	case e.flagDay():
		return explanation{cause: CauseFlagDay,
			why: fmt.Sprintf("accept, emit and revoke fell together, so %s met %s before it could learn it%s", v.Name, e.fresh, e.until(everLearned, learned, accepted)),
			fix: e.fixLead(v, learned-accepted, everLearned)}
	}
	if via, at, there := e.staleAnswer(v, accepted, sum.LastFailure); there {
		return explanation{cause: CauseSharedCache, consumer: via,
			why: fmt.Sprintf("%s fetched the set %s after %s was accepted and was answered with an old one from %s%s", v.Name, e.page(at-accepted), e.fresh, via, e.until(everLearned, learned, accepted)),
			fix: fmt.Sprintf("make %s expire its copy sooner, or purge it after accepting; else %s", via, e.fixLead(v, learned-accepted, everLearned))}
	}
	if everLearned {
		if told, there := e.failedFetch(v, accepted, learned, sum); there {
			return told
		}
	}
	if from, there := e.unanswered(v, sum); there && !everLearned {
		return explanation{cause: CauseSourceDown, consumer: from,
			why: fmt.Sprintf("%s asked for it, and %s gave no answer", v.Name, from),
			fix: fmt.Sprintf("bring %s back; and let every validator have %s before it is emitted, so that nobody has to ask in a hurry", from, e.fresh)}
	}
	g1 := e.limits.G1(v)
	if last := sum.LastFailure - accepted; !everLearned && g1 != runbook.Forever && last < history.Offset(e.limits.Wall(g1)+v.Granule) {
		return explanation{cause: CauseStaleCache,
			why: fmt.Sprintf("%s%s had not learned it %s after it was accepted, and the lead was %s; it may take %s", v.Name, e.offPage(v.Name), e.page(last), e.page(lead), plan.Text(g1)),
			fix: e.fixLead(v, 0, false)}
	}
	if !everLearned && v.OnPage {
		return explanation{cause: CauseNeverLearned,
			why: fmt.Sprintf("%s never learned it: %s", v.Name, e.lastFetch(v.Name)),
			fix: fmt.Sprintf("make %s fetch the set again, or reload it during the lead", v.Name)}
	}
	if !everLearned {
		return explanation{cause: CauseNeverLearned,
			why: fmt.Sprintf("%s%s never learned it: %s", v.Name, e.offPage(v.Name), e.lastFetch(v.Name)),
			fix: fmt.Sprintf("put %s on the page and make it fetch the set again, or reload it during the lead", v.Name)}
	}
	if v.OnMiss && !e.cooling(v, sum.FirstFailure) && sum.FirstFailure > learned-history.Offset(nearly) && sum.LastFailure < learned+history.Offset(nearly) {
		return explanation{cause: CauseInsideTheFetch,
			why: fmt.Sprintf("%s refuses what comes while the fetch that the first %s caused is under way", v.Name, e.fresh),
			fix: fmt.Sprintf("show one canary of %s to every replica of %s before emitting", e.fresh, v.Name)}
	}
	own := learned - published // what the validator itself took
	planned := history.Offset(e.limits.Wall(e.limits.Publishing(v)))
	if isPublished && own+planned <= lead && published-accepted > planned+history.Offset(nearly) {
		return explanation{cause: CauseLatePublish, consumer: v.From,
			why: fmt.Sprintf("%s published it only %s after it was accepted (the page says %s), so that %s learned it %s after the start of a lead of %s",
				v.From, e.page(published-accepted), plan.Text(e.limits.Publishing(v)), v.Name, e.page(learned-accepted), e.page(lead)),
			fix: fmt.Sprintf("make %s read the store every %s as the page says, or emit at least %s after accepting",
				v.From, plan.Text(e.limits.Publishing(v)), e.atLeast(learned-accepted))}
	}
	return explanation{cause: CauseStaleCache,
		why: fmt.Sprintf("%s%s learned it %s after it was accepted, and the lead was %s", v.Name, e.offPage(v.Name), e.page(learned-accepted), e.page(lead)),
		fix: e.fixLead(v, learned-accepted, true)}
}

// withdrawnInUse explains refusals of a new credential that was taken back
// before what had been made with it was out of use.
func (e *evidence) withdrawnInUse(sum *history.Counts) (explanation, bool) {
	withdrawn, there := e.done(string(keyring.Withdraw), e.fresh)
	if !there || sum.FirstFailure < withdrawn-history.Offset(nearly) {
		return explanation{}, false
	}
	emitter := e.emitterOf(sum.Presenter)
	switched := e.view.Switched[emitter][e.old]
	return explanation{
		cause: CauseOutlived, consumer: sum.Presenter,
		why: fmt.Sprintf("what it had been given with %s outlived it: %s was withdrawn %s after %s switched back, and was in use for %s",
			e.fresh, e.fresh, e.page(withdrawn-switched), emitter, e.page(sum.LastFailure-switched)),
		fix: fmt.Sprintf("withdraw %s at least %s after the last emitter switched back; where it is compromised, and cannot stay, have those who hold it renew at once",
			e.fresh, plan.Text(max(e.limits.G2(), e.limits.Page((sum.LastFailure-switched).Duration()).Round(time.Second)))),
	}, true
}

// cooling reports whether a validator that learns when it meets a credential
// could not fetch at a moment, since it had done so too shortly before.
func (e *evidence) cooling(v plan.Validator, at history.Offset) bool {
	return v.Learns > 0 && len(e.fetches(v.Name, at-history.Offset(e.limits.Wall(v.Learns)), at)) > 0
}

// flagDay reports whether accept, emit and revoke came so close together that
// nobody could have learned in between.
func (e *evidence) flagDay() bool {
	accepted, a := e.done(string(keyring.Accept), e.fresh)
	revoked, r := e.done(string(keyring.Revoke), e.old)
	return a && r && revoked-accepted <= history.Offset(e.limits.Wall(e.limits.Switching())+2*nearly)
}

// staleAnswer is the first fetch after a credential was published that was
// answered with a set without it, and who answered.
func (e *evidence) staleAnswer(v plan.Validator, accepted, until history.Offset) (via string, at history.Offset, there bool) {
	published, known := e.view.PublishedAt[v.From][e.fresh]
	if !known {
		return "", 0, false
	}
	for _, fetch := range e.fetches(v.Name, max(accepted, published), until) {
		if !slices.Contains(fetch.Credentials, e.fresh) && fetch.From != v.From {
			return fetch.From, fetch.At, true
		}
	}
	return "", 0, false
}

// unanswered is who did not answer a validator that tried to fetch while it
// refused. Behind a cache it is the emitter, where that gave no tokens either.
func (e *evidence) unanswered(v plan.Validator, sum *history.Counts) (from string, there bool) {
	for _, event := range e.events {
		switch {
		case event.Kind == history.KindFetchFailed && event.Service == v.Name &&
			event.At >= sum.FirstFailure-history.Offset(nearly) && event.At <= sum.LastFailure+history.Offset(nearly):
			from, there = event.From, true
		case there && event.Kind == history.KindSession && e.emitterOf(event.Service) == v.From:
			return v.From, true
		}
	}
	return from, there
}

// until is the half sentence about when a validator learned.
func (e *evidence) until(ever bool, learned, accepted history.Offset) string {
	if !ever {
		return "; it never learned it"
	}
	return fmt.Sprintf("; it learned it %s after it was accepted", e.page(learned-accepted))
}

func (e *evidence) lastFetch(validator string) string {
	fetches := e.fetches(validator, 0, e.end)
	if len(fetches) == 0 {
		return "it fetched no set"
	}
	last := fetches[len(fetches)-1].At
	if last < e.start {
		return "it has not fetched the set since it was started"
	}
	return "its last fetch was at " + last.String()
}

// atLeast is a measured wall time with the margin, as page time.
func (e *evidence) atLeast(wall history.Offset) string {
	return plan.Text((e.limits.Page(wall.Duration()) + margin).Round(time.Second))
}

// fixLead says which lead would have been enough: the bound of the page where
// it is larger than what was measured.
func (e *evidence) fixLead(v plan.Validator, measured history.Offset, ever bool) string {
	g1 := e.limits.G1(v)
	if !ever {
		return fmt.Sprintf("publish at least %s before emitting, and wait until %s has it", plan.Text(g1), v.Name)
	}
	need := max(g1, e.limits.Page(measured.Duration())+margin)
	return fmt.Sprintf("publish at least %s before emitting (lead), and let the gate of verify wait for %s", plan.Text(need.Round(time.Second)), v.Name)
}
