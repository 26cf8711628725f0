package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// KeptByCache matches where a validator fetched after the emitter had withdrawn the revoked credential,
// and a cache on the way answered with an old set.
func KeptByCache(c *cell.Cell) (cell.Explanation, bool) {
	if gotWithout(c) {
		return cell.Explanation{}, false
	}
	withdrawn, ended := publishedUntil(c.Evidence, c.Validator.From, c.First)
	if _, says := c.View.Published[c.Validator.From]; !says || !ended {
		return cell.Explanation{}, false
	}
	for _, fetch := range c.Fetches(c.Validator.Name, withdrawn+evidence.Nearly/2, c.Last) {
		if fetch.From == c.Validator.From || fetch.From == "" || c.Relays(fetch.From) || !slices.Contains(fetch.Credentials, c.Old) {
			continue
		}
		return cell.Explanation{
			Cause: judge.CauseSharedCache, Consumer: fetch.From,
			Why: fmt.Sprintf("; it fetched the set %s after the revoke and was answered with an old one from %s, although %s had taken %s out of it", c.Page(fetch.At-c.First), fetch.From, c.Validator.From, c.Old),
			Fix: fmt.Sprintf("make %s expire its copy sooner, or purge it with the revoke; else watch (rollout.watch) for longer than its copy and what %s keeps together", fetch.From, c.Validator.Name),
		}, true
	}
	return cell.Explanation{}, false
}

// KeptAtGateway matches where the set of a gateway still had the revoked credential when it was looked at
// after the validator had last taken that, and the emitter had withdrawn it: however often the validator
// asked, it was not answered with another one.
func KeptAtGateway(c *cell.Cell) (cell.Explanation, bool) {
	by, from := c.Nearest(), c.Validator.From
	had, seen := c.SetAt(by, c.End)
	set, found := c.SetAt(from, c.End)
	if by == from || !seen || !slices.Contains(had.Credentials(), c.Old) || !found || slices.Contains(set.Credentials(), c.Old) {
		return cell.Explanation{}, false
	}
	looks := c.LooksAt(by, "")
	if at := looks[len(looks)-1].At; at >= c.Last-evidence.Nearly && !c.UnreadableAt(by, c.End) {
		told := cell.Explanation{
			Cause: judge.CauseSharedCache, Consumer: by,
			Why: fmt.Sprintf("; the set of %s, where it gets its own, still had %s when looked at %s after the revoke, although %s had taken it out", by, c.Old, c.Page(at-c.First), from),
			Fix: fmt.Sprintf("make %s expire its copy sooner, or purge it with the revoke; else watch (rollout.watch) for longer than its copy and what %s keeps together", by, c.Validator.Name),
		}
		for _, b := range c.BoundsSeen() {
			if b.Rule == "G3" && b.Validator == c.Validator.Name && b.Party == by && !b.Held && !b.Open && b.Needed != runbook.Forever {
				told.Fix += fmt.Sprintf(": %s (%s)", b.Enough(), strings.Join(b.Seen, ", "))
			}
		}
		return told, true
	}
	return cell.Explanation{}, false
}

// KeptBehind matches where a validator fetches through an external gateway, and nobody sees these
// fetches, or with which of several sets it answers: either of the two may have kept the revoked
// credential.
func KeptBehind(c *cell.Cell) (cell.Explanation, bool) {
	name, by := c.Validator.Name, c.Validator.Through
	for _, other := range c.PartiesBehind(c.Nearest()) {
		if set, seen := c.SetAt(other, c.End); seen && slices.Contains(set.Credentials(), c.Old) {
			return cell.Explanation{
				Why: fmt.Sprintf("; it gets its set through %s, and the set of %s still had %s to the end: no look shows whether %s answers with that one", c.Nearest(), other, c.Old, c.Nearest()),
				Fix: fmt.Sprintf("find out whether %s answers with the set of %s: if so, have %s withdraw %s with the revoke; if not, restart %s, or bound what it keeps", c.Nearest(), other, other, c.Old, name),
			}, true
		}
	}
	if by == "" || !c.Validator.Blind || !c.HasFetches(by) {
		return cell.Explanation{}, false
	}
	had := fmt.Sprintf("which had fetched no set without %s by then", c.Old)
	for _, fetch := range c.Fetches(by, c.First, c.Last-evidence.Nearly) {
		if !slices.Contains(fetch.Credentials, c.Old) {
			if late := answersWithOlder(c, by); late > 0 {
				return tellOlder(c, by, fetch.At, late), true
			}
			had = fmt.Sprintf("which fetched one without %s %s after the revoke", c.Old, c.Page(fetch.At-c.First))
			break
		}
	}
	return cell.Explanation{
		Why: fmt.Sprintf("; it gets its set through %s, %s: no log shows whether %s answered with an older copy or %s did not ask sooner", by, had, by, name),
		Fix: fmt.Sprintf("find out for how long %s keeps the set (its lifetime, what it serves stale beyond that) and for how long %s does, as by a relay between the two (serve: relay), and bound both: they add up; or purge the one and restart the other with the revoke", by, name),
	}, true
}

// answersWithOlder is how long after a gateway had fetched the new credential the one validator that asks
// it refused that in every answer; 0 where that was not seen. It had asked, or the gateway would not have
// fetched: it was answered with an older copy, as by a cache that serves a stale one while it fetches
// (RFC 5861 §3).
func answersWithOlder(c *cell.Cell, gateway string) (late history.Offset) {
	accepted, was := c.Done(keyring.Accept, c.Fresh)
	revoked, _ := c.Begun(keyring.Revoke, c.Old)
	others := slices.ContainsFunc(c.Limits.Validators, func(v plan.Validator) bool {
		return v.Name != c.Validator.Name && (v.Via == gateway || v.Through == gateway)
	})
	answer, canary := c.Limits.Answered(c.View, c.Validator.Name, c.Fresh, history.Canary)
	if !was || others || answer != plan.Refuses || canary.Taken > 0 { // one of several replicas may have asked
		return 0
	}
	for _, fetch := range c.Fetches(gateway, accepted, revoked) {
		if !slices.Contains(fetch.Credentials, c.Fresh) {
			continue
		}
		if slices.ContainsFunc(c.LooksAt(gateway, ""), func(look history.Event) bool { return look.At >= accepted && look.At <= fetch.At+evidence.Nearly }) {
			return 0 // it may have fetched for the look
		}
		if late = canary.FirstRefused - fetch.At; late > evidence.Nearly {
			return late
		}
		break
	}
	return 0
}

// tellOlder tells of a gateway that answers with an older copy than it then fetches, as it did with the
// new credential and, by that, with the set without the revoked one.
func tellOlder(c *cell.Cell, by string, fetched, late history.Offset) cell.Explanation {
	name := c.Validator.Name
	told := cell.Explanation{
		Cause: judge.CauseSharedCache, Consumer: by,
		Why: fmt.Sprintf("; %s, where it gets its set, fetched one without %s %s after the revoke, when asked for it, and answers with the copy that it had: %s still refused %s %s after %s had fetched that",
			by, c.Old, c.Page(fetched-c.First), name, c.Fresh, c.Page(late), by),
		Fix: fmt.Sprintf("have %s answer with what it fetches once its copy has expired, or purge it with the revoke; else watch (rollout.watch) until %s has asked twice", by, name),
	}
	if v := c.Validator; v.Forgets != runbook.Forever {
		told.Fix += ": at least " + plan.Text(c.Limits.G3(v)+v.Forgets)
	}
	return told
}

// KeptForWantOfASet matches where a validator asked for the set after the revoke and got none, or a
// fault kept it from asking: it keeps its set until it is answered.
func KeptForWantOfASet(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	if v.Authority || gotWithout(c) {
		return cell.Explanation{}, false
	}
	whom, how, at := c.InVain(c.First, c.Last)
	fault, cut := c.CutFromSource(c.First, c.Last)
	told := cell.Explanation{Cause: judge.CauseSourceDown, Consumer: whom, Fix: fmt.Sprintf("bring %s back before the revoke", whom)}
	switch {
	case how != "":
		told.Why = fmt.Sprintf("; it asked %s for the set %s after the revoke and got none (%s)", whom, c.Page(at-c.First), how)
	case !cut || !keptBy(c, fault):
		return cell.Explanation{}, false
	case v.Reads:
		told.Why = "; it could not read what is published"
	default:
		told.Why = "; it could not fetch the set"
	}
	if cut {
		told.Consumer, told.CausedBy = fault.Target, fault.Kind
		told.Why += c.Cite([]judge.FaultReport{fault})
		told.Fix = fmt.Sprintf("mend %s (here the fault %s)", fault.Target, fault.Kind)
	}
	told.Fix += fmt.Sprintf(", and watch until %s refuses %s: a validator that gets no set keeps the one that it has, and restarting it meanwhile does not help", v.Name, c.Old)
	return told, true
}

// keptBy reports whether the times of a fault on the validator's way to its keys explain that it kept
// the old one: the fault was in effect when the validator should have forgotten, and afterwards it kept
// the credential no longer than usual.
func keptBy(c *cell.Cell, r judge.FaultReport) bool {
	v, bound := c.Validator, c.Limits.G3(c.Validator)
	if bound == runbook.Forever {
		return r.UndoneMS < 0
	}
	due := c.First + history.Offset(c.Limits.Wall(bound)+v.Granule)
	if !r.InEffect(c.First, due) {
		return false
	}
	until := history.Milliseconds(r.UndoneMS)
	return r.UndoneMS < 0 || c.Last <= until+due-c.First+evidence.Nearly
}

// gotWithout reports whether the validator fetched a set without the revoked credential before it last
// took that: it keeps it for another reason.
func gotWithout(c *cell.Cell) bool {
	return slices.ContainsFunc(c.Fetches(c.Validator.Name, c.First, c.Last-evidence.Nearly), func(fetch history.Event) bool {
		return !slices.Contains(fetch.Credentials, c.Old)
	})
}
