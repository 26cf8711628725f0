package judge

import (
	"cmp"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// symptom is what a cell suffers from: what a detector is asked to explain.
type symptom int

// The symptoms.
const (
	refused    symptom = iota // a presenter was refused by a validator with a credential
	unanswered                // a client had no good answer from the service that it calls
	absent                    // an emitter had no good answer from whom it presents its credential to
	unrenewed                 // a client's tokens were not renewed by their emitter
	kept                      // a validator took the revoked credential after its bound
	untaken                   // a validator refused the new credential after the revoke
)

// cell is what is to be explained: a presenter × a validator × a credential, and
// the stretch of time in which it suffered.
type cell struct {
	*evidence
	symptom     symptom
	presenter   string // empty where the harness itself presented it
	validator   plan.Validator
	credential  string
	sum         *history.Counts // of the cell over the whole run
	first, last history.Offset  // the stretch: of refusals exact, of missing answers to a bucket
	// causedBy is the step, or the fault, that it began with.
	causedBy string
	// presented is what became of the old credential after the revoke, of kept.
	presented presented
	// way is when the validator could learn and did.
	way
}

// way is the way of the new credential to one validator, from its accept on.
type way struct {
	accepted, emitted history.Offset
	learnedAt         history.Offset
	everLearned       bool
	// bySight says that nothing tells so but its answers: it refused the credential
	// until then, and takes it since.
	bySight     bool
	published   history.Offset
	isPublished bool // whether its emitter says when it published it
}

// wayTo is the way of the new credential to a validator.
func (e *evidence) wayTo(v plan.Validator) way {
	var w way
	w.accepted, _ = e.done(string(keyring.Accept), e.fresh)
	since := w.accepted
	if v.Authority { // it has the new one before the step that gave it is done
		since, _ = e.begun(string(keyring.Accept), e.fresh)
	}
	if w.learnedAt, w.everLearned = e.learned(v.Name, e.fresh, since); !w.everLearned {
		w.learnedAt, w.everLearned = e.tookAfterAll(v.Name)
		w.bySight = w.everLearned
	}
	w.emitted, _ = e.done(string(keyring.Emit), e.fresh)
	w.published, w.isPublished = e.view.PublishedAt[v.From][e.fresh]
	return w
}

// lead is how long the new credential was accepted before it was emitted.
func (w way) lead() history.Offset { return w.emitted - w.accepted }

// isFresh says that the cell is of the new credential.
func (c *cell) isFresh() bool { return c.credential == c.fresh }

// learnedBefore says that the validator had learned the new credential before
// the cell began to suffer.
func (c *cell) learnedBefore() bool {
	return c.everLearned && c.first >= c.learnedAt+history.Offset(nearly)
}

// late says that the cell is of the new credential, which its validator had not
// learned when it first refused it.
func (c *cell) late() bool { return c.isFresh() && !c.learnedBefore() }

// usedAfter says that the cell is of the old credential, refused since the revoke.
func (c *cell) usedAfter() bool { return !c.isFresh() && !c.beforeRevoke(c.sum) }

// explanation is why a cell suffered, and what would cure it.
type explanation struct {
	cause      Cause
	consumer   string // the party to look at, where it is not the validator
	causedBy   string // where it is not the last step before
	credential string // where it is not the cell's
	why, fix   string
}

// apply puts an explanation into a finding. What it leaves open stays as it is.
func (x explanation) apply(f *Finding) {
	f.Cause = cmp.Or(x.cause, f.Cause)
	f.Consumer = cmp.Or(x.consumer, f.Consumer)
	f.CausedBy = cmp.Or(x.causedBy, f.CausedBy)
	f.Credential = cmp.Or(x.credential, f.Credential)
	f.Fix = cmp.Or(x.fix, f.Fix)
}

// detector finds one mechanism in what happened.
type detector struct {
	of symptom
	// needs is what must have been seen for it to tell anything; nothing: what
	// every history has.
	needs []need
	// match says whether the mechanism is behind what the cell suffered, and how.
	match func(*cell) (explanation, bool)
}

// need is something that must have been seen for a detector to match.
type need func(*cell) bool

// What has been seen of a cell's parties.
var (
	seesFetches need = func(c *cell) bool { return c.hasFetches(c.validator.Name) }
	seesLearned need = func(c *cell) bool { return c.everLearned }
	seesSet     need = func(c *cell) bool { return c.isPublished }
	seesLooks   need = func(c *cell) bool { return c.has[history.KindLooked] }
)

// hasFetches reports whether fetches of a validator are seen.
func (e *evidence) hasFetches(validator string) bool { return e.view.Fetches[validator] > 0 }

// detect is the first of the detectors that matches a cell.
func (c *cell) detect() (explanation, bool) {
next:
	for _, d := range detectors() {
		if d.of != c.symptom {
			continue
		}
		for _, seen := range d.needs {
			if !seen(c) {
				continue next
			}
		}
		if told, matches := d.match(c); matches {
			return told, true
		}
	}
	return explanation{}, false
}

// detectors are all of them, of each symptom the most specific first: what is
// found of one that comes earlier is not looked for by a later one.
func detectors() []detector {
	return []detector{
		{of: refused, match: poisonedPool},
		{of: refused, match: lockedOut},
		{of: refused, match: otherRotation},
		{of: refused, match: putBack},
		{of: refused, match: earlySwitch},
		{of: refused, match: onePlace},
		{of: refused, match: notAccepted},
		{of: refused, needs: []need{seesLooks}, match: unusableSet},
		{of: refused, needs: []need{seesLooks}, match: ambiguousKid},
		{of: refused, needs: []need{seesLooks}, match: noAlg},
		{of: refused, match: reusedKid},
		{of: refused, needs: []need{seesFetches}, match: fetchedTwice},
		{of: refused, needs: []need{seesFetches}, match: unreadSet},
		{of: refused, needs: []need{seesFetches}, match: oneSlot},
		{of: refused, match: givenOne},

		{of: refused, needs: []need{seesFetches}, match: oneOfTheSet},
		{of: refused, needs: []need{seesFetches}, match: setNotUsed},

		// Of the new credential.
		{of: refused, match: withdrawnInUse},
		{of: refused, match: turnedAway},
		{of: refused, needs: []need{seesLearned, seesFetches}, match: coolingDown},
		{of: refused, match: notLookedFor},
		{of: refused, needs: []need{seesSet, seesFetches}, match: freshNotInSet},
		{of: refused, needs: []need{seesFetches}, match: lostNotInSet},
		{of: refused, needs: []need{seesLooks}, match: missingAtTheSource},
		{of: refused, needs: []need{seesLooks}, match: sameETag},
		{of: refused, match: lostInOutage},
		{of: refused, needs: []need{seesLearned}, match: someReplicas},
		{of: refused, match: flagDayFresh},
		{of: refused, needs: []need{seesSet, seesFetches}, match: sharedCache},
		{of: refused, needs: []need{seesLearned}, match: failedFetch},
		{of: refused, match: unansweredFetch},
		{of: refused, match: stillStale},
		{of: refused, match: neverLearned},
		{of: refused, needs: []need{seesLearned}, match: insideTheFetch},
		{of: refused, needs: []need{seesLearned, seesSet}, match: latePublish},
		{of: refused, needs: []need{seesLearned, seesFetches}, match: startedAnew},
		{of: refused, needs: []need{seesLearned}, match: staleCache},

		// Of the old one.
		{of: refused, match: notSwitched},
		{of: refused, match: flagDayOld},
		{of: refused, match: lateSwitch},
		{of: refused, match: outlived},

		{of: unanswered, match: frozen},
		{of: unanswered, match: lacksRights},
		{of: unanswered, match: answeredAsFailing},
		{of: unanswered, match: poisonedBehind},
		{of: unanswered, match: putBackBehind},
		{of: unanswered, match: refusedBehind},
		{of: unanswered, match: notActiveYet},
		{of: unanswered, match: tooManyConnections},
		{of: unanswered, match: cutOff},
		{of: unanswered, match: absentBehind},
		{of: unanswered, needs: []need{seesLooks}, match: slowSet},
		{of: unanswered, match: faultAtTheService},
		{of: unanswered, match: faultOnTheWay},
		{of: unanswered, match: exited},
		{of: unanswered, match: renewing},

		{of: absent, match: tooManyConnections},
		{of: absent, match: faultAtTheService},
		{of: absent, match: exited},

		{of: unrenewed, match: faultAtTheService},

		{of: kept, match: takesAnything},
		{of: kept, match: keptSessions},
		{of: kept, match: publishedForTooLong},
		{of: kept, match: keptUnderAFault},
		{of: kept, match: keptByReplicas},
		{of: kept, needs: []need{seesLooks}, match: keptWithUnusableSet},
		{of: kept, needs: []need{seesFetches}, match: tokenCache},

		{of: untaken, match: lockedOutProbe},
		{of: untaken, match: notAcceptedProbe},
		{of: untaken, match: refusedLikeOthers},
		{of: untaken, match: reusedKidAfter},
		{of: untaken, match: neverPublished},
		{of: untaken, match: neverTaken},
	}
}

// lookIntoTheLog is the cure where nothing is known but when it began.
func (c *cell) lookIntoTheLog() string {
	return fmt.Sprintf("look into the log of %s from %s on", c.validator.Name, c.first)
}
