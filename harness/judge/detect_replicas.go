package judge

import (
	"fmt"
	"math"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// leastMixed is how many refusals must lie beside answers of the same second for
// them to tell of replicas.
const leastMixed = 3

// someReplicas matches where a validator of several replicas took the new
// credential at some and refused it at others, in the same seconds: one of them
// had not learned it yet, or never did.
func someReplicas(c *cell) (explanation, bool) {
	if !c.isFresh() {
		return explanation{}, false
	}
	caches, learned := c.caches()
	mixed, beside := c.mixed()
	// One cache is one replica: what it refuses beside what it takes differs in the
	// token (its time, its claims), as it does under a fault that is the mechanism.
	one := caches == 1 || c.underAFault(explanation{cause: CauseUnknown}).cause != CauseUnknown
	sustained := !one && c.learnedBefore() && mixed.bad >= leastMixed && 2*mixed.bad >= c.sum.AuthFailures && c.standsOut()
	if between := caches > 1 && c.betweenReplicas(learned); !sustained && !between {
		return explanation{}, false
	}
	name := c.validator.Name
	told := explanation{cause: CauseSomeReplicas}
	of := ""
	if caches > 1 {
		of = fmt.Sprintf(" of its %d replicas, by what they fetch,", caches)
	}
	stuck := c.last > c.end-2*history.Offset(nearly)
	switch {
	case stuck:
		tail := c.at(c.fresh, c.end-10*history.Offset(nearly), c.end)
		told.why = fmt.Sprintf("some%s of %s's answers refuse it and others in the same second take it, to the end: %.0f%% of the last; one replica of about %.0f never learned it",
			of, name, 100*tail.share(), math.Round(1/math.Max(tail.share(), 0.01)))
		told.fix = fmt.Sprintf("ask each replica of %s by its own address, and start anew the one that does not fetch; prove every replica before emitting", name)
	case len(learned) > 1:
		last := learned[len(learned)-1]
		need := max(c.limits.G1(c.validator), c.limits.Page((last-c.accepted).Duration())+margin)
		told.why = fmt.Sprintf("the replicas of %s learn it at different times: the first of %d fetched it %s after it was accepted, the last %s; the lead was %s",
			name, caches, c.page(learned[0]-c.accepted), c.page(last-c.accepted), c.page(c.lead()))
		told.fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one", plan.Text(need.Round(time.Second)), name)
	default:
		told.why = fmt.Sprintf("%d answers of %s refused it beside %d in the same seconds that took it: not all of its replicas had learned it, until %s after it was accepted", mixed.bad, name, beside, c.page(c.last-c.accepted))
		told.fix = fmt.Sprintf("publish at least %s before emitting (lead), and ask every replica of %s, not one", plan.Text(max(c.limits.G1(c.validator), (c.limits.Page((c.last-c.accepted).Duration())+margin).Round(time.Second))), name)
	}
	return told, true
}

// leastShare is the least share of a validator's answers that one of its replicas
// gives, of twenty.
const leastShare = 0.05

// standsOut says that refusals are more than the noise that there was before, and
// so many that they can be those of one replica.
func (c *cell) standsOut() bool {
	s := c.refusals(history.CellKey{Source: c.limits.Hop, Presenter: c.presenter, Validator: c.validator.Name, Credential: c.credential})
	base := c.baseline(c.presenter, c.validator.Name)
	share := s.in(c.first-bucketWidth, c.last+1).share()
	return share >= leastShare && share > 2*(tally{base.AuthFailures, base.Attempts}).share()
}

// mixed are the cell's attempts in seconds in which some were refused and some
// were taken; beside are those that were taken.
func (c *cell) mixed() (t tally, beside int64) {
	key := history.CellKey{Source: c.limits.Hop, Presenter: c.presenter, Validator: c.validator.Name, Credential: c.credential}
	second := history.Offset(time.Second)
	for at := c.first; at+second <= c.last; at += second {
		sum := c.view.Sum(key, at, at+second)
		if sum.AuthFailures > 0 && sum.OK > 0 {
			t.bad, t.of, beside = t.bad+sum.AuthFailures, t.of+sum.Attempts, beside+sum.OK
		}
	}
	return t, beside
}

// caches is how many caches of its own a validator fetches into, by how often it
// fetched before anything was presented to it, and when so many had the new credential.
func (c *cell) caches() (n int, learned []history.Offset) {
	name := c.validator.Name
	fetches := c.fetches(name, 0, c.end)
	for _, fetch := range fetches {
		if len(fetches) > 0 && fetch.At-fetches[0].At < history.Offset(nearly)/2 && fetch.At <= c.start {
			n++
		}
	}
	for _, fetch := range fetches {
		for _, credential := range fetch.Credentials {
			if credential == c.fresh && len(learned) < n {
				learned = append(learned, fetch.At)
			}
		}
	}
	return n, learned
}

// betweenReplicas says that the cell was refused while some of the caches had the
// new credential and some had not.
func (c *cell) betweenReplicas(learned []history.Offset) bool {
	return len(learned) > 1 && c.first >= learned[0] && c.last <= learned[len(learned)-1]+history.Offset(nearly)
}
