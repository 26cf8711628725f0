package cause

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/authority"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/keyset"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/learning"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/switching"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/watch"
)

// detector finds one mechanism in what happened.
type detector struct {
	of cell.Symptom
	// needs is what must have been seen for it to match; empty: what every history has.
	needs []need
	// match reports whether the mechanism explains the cell, and how.
	match func(*cell.Cell) (cell.Explanation, bool)
}

// need reports whether something that a detector relies on was seen.
type need func(*cell.Cell) bool

// What can have been seen of a cell's parties.
var (
	seesFetches need = func(c *cell.Cell) bool { return c.HasFetches(c.Validator.Name) }
	seesLearned need = func(c *cell.Cell) bool { return c.EverLearned }
	seesSet     need = func(c *cell.Cell) bool { return c.IsPublished }
	seesLooks   need = func(c *cell.Cell) bool { return c.Has[history.KindLooked] }
)

// Detect returns the explanation of the first detector that matches.
func Detect(c *cell.Cell) (cell.Explanation, bool) {
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
	return cell.Explanation{}, false
}

// detectors lists all of them, for each symptom the most specific first: a later one is asked only
// where no earlier one matches.
func detectors() []detector {
	return []detector{
		{of: cell.Refused, match: authority.PoisonedPool},
		{of: cell.Refused, match: authority.LockedOut},
		{of: cell.Refused, match: otherRotation},
		{of: cell.Refused, match: authority.LockedUnsaid},
		{of: cell.Refused, match: authority.RevokedOther},
		{of: cell.Refused, match: authority.PutBack},
		{of: cell.Refused, match: switching.EarlySwitch},
		{of: cell.Refused, match: authority.OnePlace},
		{of: cell.Refused, match: authority.MadeInPlace},
		{of: cell.Refused, match: switching.NotAccepted},
		{of: cell.Refused, match: authority.WithoutEffect},
		{of: cell.Refused, match: authority.FellBack},
		{of: cell.Refused, match: authority.MayNot},
		{of: cell.Refused, match: unanswered.OnlyTooMany},
		{of: cell.Refused, needs: []need{seesLooks}, match: keyset.UnusableSet},
		{of: cell.Refused, needs: []need{seesLooks}, match: keyset.AmbiguousKid},
		{of: cell.Refused, needs: []need{seesLooks}, match: keyset.NoAlg},
		{of: cell.Refused, match: keyset.ReusedKid},
		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.FetchedTwice},
		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.UnreadSet},
		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.OneSlot},
		{of: cell.Refused, match: keyset.GivenOne},
		{of: cell.Refused, match: keyset.OneAtATime},

		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.OneOfTheSet},
		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.SetNotUsed},

		// Of the new credential.
		{of: cell.Refused, match: switching.NotSwitchedBack},
		{of: cell.Refused, match: switching.WithdrawnInUse},
		{of: cell.Refused, match: learning.TurnedAway},
		{of: cell.Refused, needs: []need{seesLooks}, match: learning.LimitedSource},
		{of: cell.Refused, needs: []need{seesLearned, seesFetches}, match: learning.CoolingDown},
		{of: cell.Refused, needs: []need{seesFetches}, match: learning.NotLookedFor},
		{of: cell.Refused, needs: []need{seesSet, seesFetches}, match: keyset.FreshNotInSet},
		{of: cell.Refused, needs: []need{seesFetches}, match: keyset.LostNotInSet},
		{of: cell.Refused, needs: []need{seesLooks}, match: keyset.MissingAtTheSource},
		{of: cell.Refused, needs: []need{seesLooks}, match: learning.SameETag},
		{of: cell.Refused, needs: []need{seesLooks}, match: keyset.OtherType},
		{of: cell.Refused, match: learning.LostInOutage},
		{of: cell.Refused, needs: []need{seesFetches}, match: learning.CameBackOld},
		{of: cell.Refused, match: learning.SomeReplicas},
		{of: cell.Refused, match: switching.FlagDayFresh},
		{of: cell.Refused, needs: []need{seesSet, seesFetches}, match: learning.SharedCache},
		{of: cell.Refused, needs: []need{seesLearned}, match: learning.FailedFetch},
		{of: cell.Refused, match: learning.UnansweredFetch},
		{of: cell.Refused, match: learning.CutOffSource},
		{of: cell.Refused, match: learning.HandedOn},
		{of: cell.Refused, match: learning.StillStale},
		{of: cell.Refused, match: learning.NeverLearned},
		{of: cell.Refused, needs: []need{seesLearned}, match: learning.InsideTheFetch},
		{of: cell.Refused, needs: []need{seesLearned}, match: learning.LatePublish},
		{of: cell.Refused, needs: []need{seesLearned, seesFetches}, match: learning.StartedAnew},
		{of: cell.Refused, needs: []need{seesLearned}, match: learning.StaleCache},
		{of: cell.Refused, match: learning.TookLate},
		{of: cell.Refused, needs: []need{seesLooks}, match: learning.NotTheKey},

		// Of the old one.
		{of: cell.Refused, match: learning.NotRelearned},
		{of: cell.Refused, match: keyset.OneSignature},
		{of: cell.Refused, match: switching.OldKid},
		{of: cell.Refused, match: switching.RevokedEarly},
		{of: cell.Refused, match: switching.WentBack},
		{of: cell.Refused, match: switching.InTurns},
		{of: cell.Refused, match: switching.InPart},
		{of: cell.Refused, match: switching.NotSwitched},
		{of: cell.Refused, match: switching.FlagDayOld},
		{of: cell.Refused, match: switching.LateSwitch},
		{of: cell.Refused, match: switching.Outlived},

		{of: cell.Unanswered, match: unanswered.Frozen},
		{of: cell.Unanswered, match: unanswered.LacksRights},
		{of: cell.Unanswered, match: answeredAsFailing},
		{of: cell.Unanswered, match: unanswered.TurnedProberAway},
		{of: cell.Unanswered, match: authority.PoisonedBehind},
		{of: cell.Unanswered, match: authority.PutBackBehind},
		{of: cell.Unanswered, match: refusedBehind},
		{of: cell.Unanswered, match: unanswered.FreshAnsweredOtherwise},
		{of: cell.Unanswered, match: unanswered.NotTakenOnTheWay},
		{of: cell.Unanswered, match: unanswered.NotActiveYet},
		{of: cell.Unanswered, match: unanswered.TooManyConnections},
		{of: cell.Unanswered, match: unanswered.CutOff},
		{of: cell.Unanswered, match: unanswered.InUseAtRevoke},
		{of: cell.Unanswered, match: unanswered.AbsentBehind},
		{of: cell.Unanswered, match: unanswered.SlowFresh},
		{of: cell.Unanswered, needs: []need{seesLooks}, match: unanswered.SlowSet},
		{of: cell.Unanswered, match: unanswered.FaultAtTheService},
		{of: cell.Unanswered, match: unanswered.FaultOnTheWay},
		{of: cell.Unanswered, match: unanswered.Exited},
		{of: cell.Unanswered, match: unanswered.Renewing},
		{of: cell.Unanswered, match: unanswered.StoppedOnTheWay},

		{of: cell.Absent, match: unanswered.TurnedProberAway},
		{of: cell.Absent, match: unanswered.FreshAnsweredOtherwise},
		{of: cell.Absent, match: unanswered.TooManyConnections},
		{of: cell.Absent, match: unanswered.FaultAtTheService},
		{of: cell.Absent, match: unanswered.CutOffWay},
		{of: cell.Absent, match: unanswered.Exited},

		{of: cell.Unrenewed, match: unanswered.FaultAtTheService},

		{of: cell.Kept, match: watch.TakesAnything},
		{of: cell.Kept, match: watch.KeptSessions},
		{of: cell.Kept, match: watch.PublishedForTooLong},
		{of: cell.Kept, match: watch.KeptUnderAFault},
		{of: cell.Kept, needs: []need{seesFetches}, match: watch.KeptByCache},
		{of: cell.Kept, match: watch.KeptForWantOfASet},
		{of: cell.Kept, needs: []need{seesLooks}, match: watch.KeptAtGateway},
		{of: cell.Kept, match: watch.KeptByReplicas},
		{of: cell.Kept, needs: []need{seesLooks}, match: keyset.KeptWithUnusableSet},
		{of: cell.Kept, match: watch.TokenCache},
		{of: cell.Kept, match: watch.KeptBehind},

		{of: cell.Untaken, match: authority.LockedOutProbe},
		{of: cell.Untaken, match: authority.LockedUnsaidAfter},
		{of: cell.Untaken, match: afterRevoke(": ", switching.NotAccepted)},
		{of: cell.Untaken, match: refusedLikeOthers},
		{of: cell.Untaken, match: afterRevoke("; ", keyset.ReusedKid)},
		{of: cell.Untaken, needs: []need{seesLooks}, match: afterRevoke("; ", keyset.OtherType)},
		{of: cell.Untaken, match: afterRevoke(": ", authority.WithoutEffect)},
		{of: cell.Untaken, match: watch.NeverPublished},
		{of: cell.Untaken, match: watch.NeverTaken},
	}
}

// afterRevoke is a detector of refusals for what the harness itself presents after the revoke: no
// step caused that, and the finding has a sentence before the explanation.
func afterRevoke(separator string, match func(*cell.Cell) (cell.Explanation, bool)) func(*cell.Cell) (cell.Explanation, bool) {
	return func(c *cell.Cell) (cell.Explanation, bool) {
		told, matches := match(c)
		told.Why, told.CausedBy = separator+told.Why, ""
		return told, matches
	}
}
