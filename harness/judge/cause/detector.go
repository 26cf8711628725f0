package cause

import (
	"cmp"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Case is the evidence of a run in which causes are looked for.
type Case struct{ *evidence.Evidence }

// Symptom is what a cell suffers from, which a detector is to explain.
type Symptom int

// The symptoms.
const (
	Refused    Symptom = iota // a presenter was refused by a validator with a credential
	Unanswered                // a client had no good answer from the service that it calls
	Absent                    // an emitter had no good answer from whom it presents its credential to
	Unrenewed                 // a client's tokens were not renewed by their emitter
	Kept                      // a validator took the revoked credential after its bound
	Untaken                   // a validator refused the new credential after the revoke
)

// Cell is what is to be explained: a presenter, a validator and a credential, and the stretch of time
// in which the cell suffered.
type Cell struct {
	*Case
	Symptom     Symptom
	Presenter   string // empty where the harness itself presented it
	Validator   plan.Validator
	Credential  string
	Sum         *history.Counts // of the cell over the whole run
	First, Last history.Offset  // the stretch: exact for refusals, to a bucket for missing answers
	// CausedBy is the step or fault that it began with.
	CausedBy string
	// Presented are the answers to the old credential after the revoke, of the symptom Kept.
	Presented Presented
	// Way says when the validator could learn, and did.
	evidence.Way
}

// isFresh reports whether the cell is of the new credential.
func (c *Cell) isFresh() bool { return c.Credential == c.Fresh }

// learnedBefore reports whether the validator had learned the new credential before the cell began to
// suffer.
func (c *Cell) learnedBefore() bool {
	return c.EverLearned && (c.First >= c.LearnedAt+evidence.Nearly || c.Shown && c.First > c.LearnedAt)
}

// late reports whether the validator refused the new credential before it had learned it.
func (c *Cell) late() bool { return c.isFresh() && !c.learnedBefore() }

// usedAfter reports whether the cell is of the old credential, refused since the revoke.
func (c *Cell) usedAfter() bool { return !c.isFresh() && !c.beforeRevoke(c.Sum) }

// Explanation is why a cell suffered, and what would cure it.
type Explanation struct {
	Cause      judge.Cause
	Consumer   string // the party to look at, where it is not the validator
	CausedBy   string // where it is not the last step before the first failure
	Credential string // where it is not the cell's
	// Nobody says that no party can be named.
	Nobody   bool
	Why, Fix string
}

// Apply fills a finding from an explanation. Fields that the explanation leaves empty stay as they are.
func (x Explanation) Apply(f *judge.Finding) {
	f.Cause = cmp.Or(x.Cause, f.Cause)
	f.Consumer = cmp.Or(x.Consumer, f.Consumer)
	if x.Nobody {
		f.Consumer = ""
	}
	f.CausedBy = cmp.Or(x.CausedBy, f.CausedBy)
	f.Credential = cmp.Or(x.Credential, f.Credential)
	f.Fix = cmp.Or(x.Fix, f.Fix)
}

// detector finds one mechanism in what happened.
type detector struct {
	of Symptom
	// needs is what must have been seen for it to match; empty: what every history has.
	needs []need
	// match reports whether the mechanism explains the cell, and how.
	match func(*Cell) (Explanation, bool)
}

// need reports whether something that a detector relies on was seen.
type need func(*Cell) bool

// What can have been seen of a cell's parties.
var (
	seesFetches need = func(c *Cell) bool { return c.HasFetches(c.Validator.Name) }
	seesLearned need = func(c *Cell) bool { return c.EverLearned }
	seesSet     need = func(c *Cell) bool { return c.IsPublished }
	seesLooks   need = func(c *Cell) bool { return c.Has[history.KindLooked] }
)

// Detect returns the explanation of the first detector that matches.
func (c *Cell) Detect() (Explanation, bool) {
next:
	for _, d := range detectors() {
		if d.of != c.Symptom {
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
	return Explanation{}, false
}

// detectors lists all of them, for each symptom the most specific first: a later one is asked only
// where no earlier one matches.
func detectors() []detector {
	return []detector{
		{of: Refused, match: poisonedPool},
		{of: Refused, match: lockedOut},
		{of: Refused, match: otherRotation},
		{of: Refused, match: lockedUnsaid},
		{of: Refused, match: revokedOther},
		{of: Refused, match: putBack},
		{of: Refused, match: earlySwitch},
		{of: Refused, match: onePlace},
		{of: Refused, match: madeInPlace},
		{of: Refused, match: notAccepted},
		{of: Refused, match: withoutEffect},
		{of: Refused, match: fellBack},
		{of: Refused, match: mayNot},
		{of: Refused, match: onlyTooMany},
		{of: Refused, needs: []need{seesLooks}, match: unusableSet},
		{of: Refused, needs: []need{seesLooks}, match: ambiguousKid},
		{of: Refused, needs: []need{seesLooks}, match: noAlg},
		{of: Refused, match: reusedKid},
		{of: Refused, needs: []need{seesFetches}, match: fetchedTwice},
		{of: Refused, needs: []need{seesFetches}, match: unreadSet},
		{of: Refused, needs: []need{seesFetches}, match: oneSlot},
		{of: Refused, match: givenOne},
		{of: Refused, match: oneAtATime},

		{of: Refused, needs: []need{seesFetches}, match: oneOfTheSet},
		{of: Refused, needs: []need{seesFetches}, match: setNotUsed},

		// Of the new credential.
		{of: Refused, match: notSwitchedBack},
		{of: Refused, match: withdrawnInUse},
		{of: Refused, match: turnedAway},
		{of: Refused, needs: []need{seesLooks}, match: limitedSource},
		{of: Refused, needs: []need{seesLearned, seesFetches}, match: coolingDown},
		{of: Refused, needs: []need{seesFetches}, match: notLookedFor},
		{of: Refused, needs: []need{seesSet, seesFetches}, match: freshNotInSet},
		{of: Refused, needs: []need{seesFetches}, match: lostNotInSet},
		{of: Refused, needs: []need{seesLooks}, match: missingAtTheSource},
		{of: Refused, needs: []need{seesLooks}, match: sameETag},
		{of: Refused, needs: []need{seesLooks}, match: otherType},
		{of: Refused, match: lostInOutage},
		{of: Refused, needs: []need{seesFetches}, match: cameBackOld},
		{of: Refused, match: someReplicas},
		{of: Refused, match: flagDayFresh},
		{of: Refused, needs: []need{seesSet, seesFetches}, match: sharedCache},
		{of: Refused, needs: []need{seesLearned}, match: failedFetch},
		{of: Refused, match: unansweredFetch},
		{of: Refused, match: cutOffSource},
		{of: Refused, match: handedOn},
		{of: Refused, match: stillStale},
		{of: Refused, match: neverLearned},
		{of: Refused, needs: []need{seesLearned}, match: insideTheFetch},
		{of: Refused, needs: []need{seesLearned}, match: latePublish},
		{of: Refused, needs: []need{seesLearned, seesFetches}, match: startedAnew},
		{of: Refused, needs: []need{seesLearned}, match: staleCache},
		{of: Refused, match: tookLate},
		{of: Refused, needs: []need{seesLooks}, match: notTheKey},

		// Of the old one.
		{of: Refused, match: notRelearned},
		{of: Refused, match: oneSignature},
		{of: Refused, match: oldKid},
		{of: Refused, match: revokedEarly},
		{of: Refused, match: wentBack},
		{of: Refused, match: inTurns},
		{of: Refused, match: inPart},
		{of: Refused, match: notSwitched},
		{of: Refused, match: flagDayOld},
		{of: Refused, match: lateSwitch},
		{of: Refused, match: outlived},

		{of: Unanswered, match: frozen},
		{of: Unanswered, match: lacksRights},
		{of: Unanswered, match: answeredAsFailing},
		{of: Unanswered, match: turnedProberAway},
		{of: Unanswered, match: poisonedBehind},
		{of: Unanswered, match: putBackBehind},
		{of: Unanswered, match: refusedBehind},
		{of: Unanswered, match: freshAnsweredOtherwise},
		{of: Unanswered, match: notTakenOnTheWay},
		{of: Unanswered, match: notActiveYet},
		{of: Unanswered, match: tooManyConnections},
		{of: Unanswered, match: cutOff},
		{of: Unanswered, match: inUseAtRevoke},
		{of: Unanswered, match: absentBehind},
		{of: Unanswered, match: slowFresh},
		{of: Unanswered, needs: []need{seesLooks}, match: slowSet},
		{of: Unanswered, match: faultAtTheService},
		{of: Unanswered, match: faultOnTheWay},
		{of: Unanswered, match: exited},
		{of: Unanswered, match: renewing},
		{of: Unanswered, match: stoppedOnTheWay},

		{of: Absent, match: turnedProberAway},
		{of: Absent, match: freshAnsweredOtherwise},
		{of: Absent, match: tooManyConnections},
		{of: Absent, match: faultAtTheService},
		{of: Absent, match: cutOffWay},
		{of: Absent, match: exited},

		{of: Unrenewed, match: faultAtTheService},

		{of: Kept, match: takesAnything},
		{of: Kept, match: keptSessions},
		{of: Kept, match: publishedForTooLong},
		{of: Kept, match: keptUnderAFault},
		{of: Kept, needs: []need{seesFetches}, match: keptByCache},
		{of: Kept, match: keptForWantOfASet},
		{of: Kept, needs: []need{seesLooks}, match: keptAtGateway},
		{of: Kept, match: keptByReplicas},
		{of: Kept, needs: []need{seesLooks}, match: keptWithUnusableSet},
		{of: Kept, match: tokenCache},
		{of: Kept, match: keptBehind},

		{of: Untaken, match: lockedOutProbe},
		{of: Untaken, match: lockedUnsaidAfter},
		{of: Untaken, match: afterRevoke(": ", notAccepted)},
		{of: Untaken, match: refusedLikeOthers},
		{of: Untaken, match: afterRevoke("; ", reusedKid)},
		{of: Untaken, needs: []need{seesLooks}, match: afterRevoke("; ", otherType)},
		{of: Untaken, match: afterRevoke(": ", withoutEffect)},
		{of: Untaken, match: neverPublished},
		{of: Untaken, match: neverTaken},
	}
}

// lookIntoTheLog is the cure where only the beginning is known.
func (c *Cell) lookIntoTheLog() string {
	return fmt.Sprintf("look into the log of %s from %s on", c.Validator.Name, c.Moment(c.First))
}
