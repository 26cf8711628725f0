package learning

import (
	"fmt"
	"math"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// SomeReplicas matches where some replicas of a validator took the new credential and others refused it
// in the same seconds: not all had learned it. A fleet is known to be many; what keeps its members late
// is the cause there.
func SomeReplicas(c *cell.Cell) (cell.Explanation, bool) {
	if !c.IsFresh() || c.Validator.Fleet > 0 || allHadIt(c) {
		return cell.Explanation{}, false
	}
	caches, learned := c.Caches()
	mixed, beside := mixed(c)
	// One cache is one replica: mixed answers then differ by the token (its time, its claims), as under
	// a fault that is the mechanism.
	single := caches == 1 && c.Flipped() < cell.LeastMixed
	one := single || c.UnderAFault(cell.Explanation{Cause: judge.CauseUnknown}).Cause != judge.CauseUnknown
	probed, asked, stuck := c.Alternated()
	told := cell.Explanation{Cause: judge.CauseSomeReplicas}
	name := c.Validator.Name
	if !single && probed >= cell.LeastMixed {
		told.Why = fmt.Sprintf("%d of %d answers of %s to the harness refused it after others had taken it: it is several replicas or workers, and not all of them had learned it", probed, asked, name)
		told.Fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one: a client that keeps its connection meets one alone", plan.Text(max(c.Limits.G1(c.Validator), (c.Limits.Page((c.Last-c.Accepted).Duration())+evidence.Margin).Round(time.Second))), name)
		if stuck {
			told.Why = fmt.Sprintf("%d of %d answers of %s to the harness refused it after others had taken it, after the revoke too: it is several replicas or workers, and one of about %.0f never learned it", probed, asked, name, math.Round(float64(asked)/float64(probed)))
			told.Fix = fmt.Sprintf("ask each replica of %s by its own address, and restart the one that does not fetch; prove every replica before emitting", name)
		}
	}
	sustained := !one && c.LearnedBefore() && mixed.Bad >= cell.LeastMixed && 2*mixed.Bad >= c.Sum.AuthFailures && standsOut(c)
	if between := caches > 1 && c.EverLearned && betweenReplicas(c, learned); !sustained && !between {
		return told, told.Why != ""
	}
	of := ""
	if caches > 1 {
		of = fmt.Sprintf(" of its %d replicas, by what they fetch,", caches)
	}
	stuck = c.Last > c.End-2*evidence.Nearly
	switch {
	case stuck:
		tail := c.Tally(c.Fresh, c.End-10*evidence.Nearly, c.End)
		if anew := c.View.Said(name, c.Fresh, history.NewAfter); anew.Refused == 0 && math.Pow(1-tail.Share(), float64(anew.Taken)) < notByChance {
			return cell.Explanation{}, false // one of the harness's many connections would have met it
		}
		told.Why = fmt.Sprintf("some%s of %s's answers refuse it and others in the same second take it, to the end: %.0f%% of the last; one replica of about %.0f never learned it",
			of, name, 100*tail.Share(), math.Round(1/math.Max(tail.Share(), 0.01)))
		told.Fix = fmt.Sprintf("ask each replica of %s by its own address, and restart the one that does not fetch; prove every replica before emitting", name)
	case len(learned) > 1:
		last := learned[len(learned)-1]
		need := max(c.Limits.G1(c.Validator), c.Limits.Page((last-c.Accepted).Duration())+evidence.Margin)
		told.Why = fmt.Sprintf("the replicas of %s learn it at different times: the first of %d fetched it %s after it was accepted, the last %s; the lead was %s",
			name, caches, c.Page(learned[0]-c.Accepted), c.Page(last-c.Accepted), c.Page(c.Lead()))
		told.Fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one", plan.Text(need.Round(time.Second)), name)
	default:
		told.Why = fmt.Sprintf("%d answers of %s refused it beside %d in the same seconds that took it: not all of its replicas had learned it, until %s after it was accepted", mixed.Bad, name, beside, c.Page(c.Last-c.Accepted))
		told.Fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one", plan.Text(max(c.Limits.G1(c.Validator), (c.Limits.Page((c.Last-c.Accepted).Duration())+evidence.Margin).Round(time.Second))), name)
	}
	return told, true
}

// allHadIt reports whether the new credential was refused only after the revoke of the old one, and
// taken so often before that a replica without it would have been met.
func allHadIt(c *cell.Cell) bool {
	revoked, done := c.RevokedAt()
	key := c.Key()
	before, during := c.View.Sum(key, 0, revoked), c.View.Sum(key, c.First-evidence.BucketWidth, c.Last+1)
	share := evidence.Tally{Bad: during.AuthFailures, Of: during.Attempts}.Share()
	return done && c.First > revoked+evidence.BucketWidth && before.AuthFailures == 0 && math.Pow(1-share, float64(before.OK)) < notByChance
}

// notByChance is the chance, of the harness never having met a refusing replica, below which there is
// none.
const notByChance = 0.01

// leastShare is the smallest share of a validator's answers that comes from one replica: of twenty.
const leastShare = 0.05

// standsOut reports whether refusals exceed the earlier noise, and are so many that one replica may
// give them.
func standsOut(c *cell.Cell) bool {
	s := c.Refusals(c.Key())
	base := c.Baseline(c.Presenter, c.Validator.Name)
	share := s.In(c.First-evidence.BucketWidth, c.Last+1).Share()
	return share >= leastShare && share > 2*(evidence.Tally{Bad: base.AuthFailures, Of: base.Attempts}).Share()
}

// mixed are the cell's attempts in seconds with both refusals and acceptances; beside are the
// acceptances.
func mixed(c *cell.Cell) (t evidence.Tally, beside int64) {
	key := c.Key()
	second := history.Offset(time.Second)
	for at := c.First; at+second <= c.Last; at += second {
		sum := c.View.Sum(key, at, at+second)
		if sum.AuthFailures > 0 && sum.OK > 0 {
			t.Bad, t.Of, beside = t.Bad+sum.AuthFailures, t.Of+sum.Attempts, beside+sum.OK
		}
	}
	return t, beside
}

// betweenReplicas reports whether the cell was refused while some caches had the new credential and
// some had not.
func betweenReplicas(c *cell.Cell, learned []history.Offset) bool {
	return len(learned) > 1 && c.First >= learned[0] && c.Last <= learned[len(learned)-1]+evidence.Nearly
}
