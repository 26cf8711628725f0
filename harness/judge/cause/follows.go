package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// refusedBehind matches where a service gave no good answer since its own credential was refused.
func refusedBehind(c *cell.Cell) (cell.Explanation, bool) {
	service := c.Validator.Name
	authority, ok := c.Behind(func(counts history.Counts) int64 { return counts.AuthFailures })
	if !ok {
		return cell.Explanation{}, false
	}
	before := missedBefore(c, authority)
	if before*2 > c.Sum.Unavailable {
		return cell.Explanation{}, false // most failures came before, and have another cause
	}
	told := tellRefusedBehind(c, service, authority)
	if !plan.Within(c.Limits.Objective, before, c.Sum.Attempts) {
		unless := ""
		if c.Limits.Attached() { // its decisions have the time at which they were read
			unless = ", unless its log is written late"
		}
		told.Why += fmt.Sprintf("; %s of these came before it was refused there, and have another cause%s", plan.Counted(before, "attempt"), unless)
	}
	return told, true
}

// missedBefore is how many first attempts failed before an authority first refused the called service.
func missedBefore(c *cell.Cell, authority string) int64 {
	first := c.End
	for _, key := range c.View.Keys() {
		if key.Source == c.Limits.JudgedAt && key.Presenter == c.PresenterBehind() && key.Validator == authority {
			if sum := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly); sum.AuthFailures > 0 {
				first = min(first, sum.FirstFailure)
			}
		}
	}
	sum, _, _ := c.Lost(c.Presenter, c.Validator.Name, c.First, first-evidence.Nearly)
	return sum.Unavailable
}

func tellRefusedBehind(c *cell.Cell, service, authority string) cell.Explanation {
	if through := c.Through(); through != "" {
		return cell.Explanation{
			Cause: judge.CauseRefusedBehind, Consumer: through,
			Why: fmt.Sprintf("%s, through which it reaches %s, presented the credential there and was refused", through, authority),
			Fix: fmt.Sprintf("fix what the finding about %s at %s says: the failures of the callers behind it follow from that", through, authority),
		}
	}
	return asSaidOf(cell.Explanation{
		Cause: judge.CauseRefusedBehind,
		Why:   fmt.Sprintf("%s refused the credential that %s presented", authority, service),
		Fix:   fmt.Sprintf("fix what the finding about %s at %s says: the failures of its callers follow from that", service, authority),
	}, c, authority)
}

// asSaidOf points an explanation to the party that the finding about the authority's refusals names, if
// that knows why: the service that was refused may be as innocent as its callers. Without such a finding,
// the refused credential is not of this rotation.
func asSaidOf(x cell.Explanation, c *cell.Cell, authority string) cell.Explanation {
	service := c.Validator.Name
	for _, key := range c.JudgedCells() {
		sum := c.View.Sum(key, c.Start, c.End+1)
		if key.Presenter != service || key.Validator != authority ||
			c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly).AuthFailures == 0 {
			continue
		}
		if f := Explain(c.Evidence, key, &sum); f.Cause != judge.CauseUnknown {
			x.Consumer = f.Consumer
		}
		return x
	}
	if emitted, was := c.Begun(keyring.Emit, c.Fresh); was && c.First >= emitted-evidence.Nearly {
		x.Credential = c.Fresh // the credential that it should have presented
	}
	x.Why = fmt.Sprintf("%s refused what %s presented: %s", authority, service, c.SayUnnamed(authority))
	x.Fix = fmt.Sprintf("compare what %s has as %s with what %s has, by fingerprint: it may be cut off, quoted, end in a newline, or be of another environment; show it to %s before emitting", service, c.Fresh, authority, authority)
	return x
}

// answeredAsFailing matches where a service answers an error to whoever presents the new credential and
// to nobody else: a refusal in other words, explained as a refusal.
func answeredAsFailing(c *cell.Cell) (cell.Explanation, bool) {
	key, sum, ok := unanswered.OnlyFresh(c)
	if !ok {
		return cell.Explanation{}, false
	}
	_, statuses, _ := unanswered.Mostly(c)
	what := fmt.Sprintf("it answered %s to requests with %s, and to no others: ", statuses, c.Fresh)
	refusal := cell.Refusal(c.Evidence, key, &sum)
	if after := c.View.Sum(key, c.Last+evidence.BucketWidth, c.End+1); !refusal.EverLearned && !c.HasFetches(key.Validator) && after.Unavailable == 0 && after.OK >= evidence.LeastAttempts {
		refusal.LearnedAt, refusal.EverLearned, refusal.BySight = c.Last, true, true // only its answers show this
	}
	told, found := Detect(refusal)
	if !found || told.Cause == judge.CauseUnknown {
		return cell.Explanation{
			Cause: judge.CauseFailing, Credential: c.Fresh, Why: what + "it fails at a credential that it does not take, for a reason of its own",
			Fix: lookIntoTheLog(c),
		}, true
	}
	told.Why, told.Credential, told.CausedBy = what+told.Why, c.Fresh, cell.BeganWith(c.Evidence, key, c.First)
	return told, true
}

// refusedLikeOthers matches where a validator refuses the harness's new credential at the end as it
// refused that of others, and those refusals are explained.
func refusedLikeOthers(c *cell.Cell) (cell.Explanation, bool) {
	for _, key := range c.JudgedCells() {
		sum := c.View.Sum(key, c.Start, c.End+1)
		if key.Validator != c.Validator.Name || key.Credential != c.Fresh || sum.AuthFailures == 0 || sum.LastFailure <= c.End-2*evidence.Nearly {
			continue
		}
		if f := Explain(c.Evidence, key, &sum); f.Cause != judge.CauseUnknown {
			return cell.Explanation{
				Cause: f.Cause, Consumer: f.Consumer, Fix: f.Fix,
				Why: fmt.Sprintf(", as it did when %s presented it", f.Presenter),
			}, true
		}
	}
	return cell.Explanation{}, false
}
