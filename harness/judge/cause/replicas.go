package cause

import (
	"fmt"
	"math"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// leastMixed is how many refusals must lie beside acceptances in the same second to tell of replicas.
const leastMixed = 3

// someReplicas matches where some replicas of a validator took the new credential and others refused it
// in the same seconds: not all had learned it. A fleet is known to be many; what keeps its members late
// is the cause there.
func someReplicas(c *Cell) (Explanation, bool) {
	if !c.isFresh() || c.Validator.Fleet > 0 || c.allHadIt() {
		return Explanation{}, false
	}
	caches, learned := c.caches()
	mixed, beside := c.mixed()
	// One cache is one replica: mixed answers then differ by the token (its time, its claims), as under
	// a fault that is the mechanism.
	single := caches == 1 && c.flipped() < leastMixed
	one := single || c.underAFault(Explanation{Cause: judge.CauseUnknown}).Cause != judge.CauseUnknown
	probed, asked, stuck := c.alternated()
	told := Explanation{Cause: judge.CauseSomeReplicas}
	name := c.Validator.Name
	if !single && probed >= leastMixed {
		told.Why = fmt.Sprintf("%d of %d answers of %s to the harness refused it after others had taken it: it is several replicas or workers, and not all of them had learned it", probed, asked, name)
		told.Fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one: a client that keeps its connection meets one alone", plan.Text(max(c.Limits.G1(c.Validator), (c.Limits.Page((c.Last-c.Accepted).Duration())+evidence.Margin).Round(time.Second))), name)
		if stuck {
			told.Why = fmt.Sprintf("%d of %d answers of %s to the harness refused it after others had taken it, after the revoke too: it is several replicas or workers, and one of about %.0f never learned it", probed, asked, name, math.Round(float64(asked)/float64(probed)))
			told.Fix = fmt.Sprintf("ask each replica of %s by its own address, and restart the one that does not fetch; prove every replica before emitting", name)
		}
	}
	sustained := !one && c.learnedBefore() && mixed.Bad >= leastMixed && 2*mixed.Bad >= c.Sum.AuthFailures && c.standsOut()
	if between := caches > 1 && c.EverLearned && c.betweenReplicas(learned); !sustained && !between {
		return told, told.Why != ""
	}
	of := ""
	if caches > 1 {
		of = fmt.Sprintf(" of its %d replicas, by what they fetch,", caches)
	}
	stuck = c.Last > c.End-2*evidence.Nearly
	switch {
	case stuck:
		tail := c.at(c.Fresh, c.End-10*evidence.Nearly, c.End)
		if anew := c.View.Said(name, c.Fresh, history.NewAfter); anew.Refused == 0 && math.Pow(1-tail.Share(), float64(anew.Taken)) < notByChance {
			return Explanation{}, false // one of the harness's many connections would have met it
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
func (c *Cell) allHadIt() bool {
	revoked, done := c.RevokedAt()
	key := history.CellKey{Source: c.Limits.JudgedAt, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Credential}
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
func (c *Cell) standsOut() bool {
	s := c.Refusals(history.CellKey{Source: c.Limits.JudgedAt, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Credential})
	base := c.Baseline(c.Presenter, c.Validator.Name)
	share := s.In(c.First-evidence.BucketWidth, c.Last+1).Share()
	return share >= leastShare && share > 2*(evidence.Tally{Bad: base.AuthFailures, Of: base.Attempts}).Share()
}

// mixed are the cell's attempts in seconds with both refusals and acceptances; beside are the
// acceptances.
func (c *Cell) mixed() (t evidence.Tally, beside int64) {
	key := history.CellKey{Source: c.Limits.JudgedAt, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Credential}
	second := history.Offset(time.Second)
	for at := c.First; at+second <= c.Last; at += second {
		sum := c.View.Sum(key, at, at+second)
		if sum.AuthFailures > 0 && sum.OK > 0 {
			t.Bad, t.Of, beside = t.Bad+sum.AuthFailures, t.Of+sum.Attempts, beside+sum.OK
		}
	}
	return t, beside
}

// alternated is how many of the harness's own presentations of the new credential were refused although
// asked for after an acceptance, of how many; stuck says that it happened after the revoke too. A
// validator that has learned goes on taking it: only another replica refuses. 0 where the validator
// refuses as much of what the rotation does not concern.
func (c *Cell) alternated() (refused, of int64, stuck bool) {
	first := history.Offset(-1)
	for _, event := range c.Events {
		if !c.showsFresh(&event) {
			continue
		}
		switch event.Probe.Outcome {
		case history.OK:
			of++
			if first < 0 {
				first = event.At
			}
		case history.AuthFailure:
			of++
			if first >= 0 && event.At-event.Probe.Latency > first {
				refused, stuck = refused+1, stuck || event.Probe.Purpose == history.NewAfter
			}
		}
	}
	usual, attempts := c.View.Usual(c.Limits.JudgedAt, c.Validator.Name)
	if float64(refused) <= 2*(evidence.Tally{Bad: usual, Of: attempts}).Share()*float64(of) {
		return 0, of, false
	}
	return refused, of, stuck
}

// showsFresh reports whether the harness itself presented the new credential to the validator, beside what clients do.
func (c *Cell) showsFresh(event *history.Event) bool {
	return event.Kind == history.KindProbe && event.Service == c.Validator.Name && event.Credential == c.Fresh &&
		(event.Probe.Purpose == history.Canary || event.Probe.Purpose == history.NewAfter)
}

// flipped is how many of the harness's own presentations of the new credential were refused after it had been
// taken, with no fetch in between: one cache answers alike from one fetch to the next, however late the other
// workers of a validator were started.
func (c *Cell) flipped() (n int) {
	taken := history.Offset(-1) // since the last fetch
	for _, event := range c.Events {
		switch {
		case event.Kind == history.KindFetched && event.Service == c.Validator.Name:
			taken = -1
		case !c.showsFresh(&event):
		case event.Probe.Outcome == history.OK:
			taken = event.At
		case event.Probe.Outcome == history.AuthFailure && taken >= 0 && event.At-event.Probe.Latency > taken:
			n++
		}
	}
	return n
}

// caches is how many caches of its own a validator has, by its fetches before anything was presented to
// it, and when that many had the new credential.
func (c *Cell) caches() (n int, learned []history.Offset) {
	name := c.Validator.Name
	fetches := c.Fetches(name, 0, c.End)
	for _, fetch := range fetches {
		if len(fetches) > 0 && fetch.At-fetches[0].At < evidence.Nearly/2 && fetch.At <= c.Start {
			n++
		}
	}
	for _, fetch := range fetches {
		for _, credential := range fetch.Credentials {
			if credential == c.Fresh && len(learned) < n {
				learned = append(learned, fetch.At)
			}
		}
	}
	return n, learned
}

// betweenReplicas reports whether the cell was refused while some caches had the new credential and
// some had not.
func (c *Cell) betweenReplicas(learned []history.Offset) bool {
	return len(learned) > 1 && c.First >= learned[0] && c.Last <= learned[len(learned)-1]+evidence.Nearly
}
