package authority

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// stepHas says, by step, what the authority did not do with the credential.
var stepHas = map[keyring.Step]string{keyring.Accept: "%s has never taken %s", keyring.Restore: "%s does not take %s again"}

// WithoutEffect matches where an authority refuses a credential from everybody although a step was to
// make it take it, and has not taken it since.
func WithoutEffect(c *cell.Cell) (cell.Explanation, bool) {
	step := keyring.Accept
	if !c.IsFresh() {
		step = keyring.Restore
	}
	at, done := c.Done(step, c.Credential)
	if !done || !c.Validator.Authority || c.Validator.Keys == 1 || c.First < at-evidence.Nearly {
		return cell.Explanation{}, false
	}
	end := c.End
	for _, back := range []keyring.Step{keyring.Withdraw, keyring.Restore} {
		if gone, was := c.Begun(back, c.Fresh); c.IsFresh() && was {
			end = gone
		}
	}
	said := c.RepliesTo(c.Credential, at, end)
	if said.Taken > 0 || said.Refused == 0 || c.IsFresh() && c.Symptom == cell.Refused && len(said.Who) < 2 {
		return cell.Explanation{}, false
	}
	v, hint := c.Validator.Name, ""
	for _, status := range slices.Sorted(maps.Keys(statuses(c))) {
		if is := refusal.Hint(status); is != "" && hint == "" {
			hint = " (" + is + ")"
		}
	}
	return cell.Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: v, CausedBy: string(step),
		Why: fmt.Sprintf("%s: the step %s reported success, and everybody who presented %s since was refused (%s)", fmt.Sprintf(stepHas[step], v, c.Credential), step, c.Credential, strings.Join(said.Who, ", ")) + meanwhile(c, said.Who),
		Fix: fmt.Sprintf("check what the step %s really does at %s, and the state of %s there (disabled, of another environment, not allowed from this address, expired, or refused from a copy of an earlier answer)%s; try it by hand until it is taken, then rehearse again",
			step, v, c.Credential, hint),
	}, true
}

// meanwhile is the half sentence about the presenters of a refused credential that are let in with the other one beside
// it: what callers see does not show the refusals then, until that one is taken away.
func meanwhile(c *cell.Cell, who []string) string {
	other, until := c.Old, keyring.Revoke
	if !c.IsFresh() {
		other, until = c.Fresh, keyring.Withdraw
	}
	to := c.End
	if at, began := c.Begun(until, other); began {
		to = at
	}
	var names []string
	for _, key := range c.JudgedCells() {
		if sum := c.View.Sum(key, c.First, to+1); key.Validator == c.Validator.Name && key.Credential == other && sum.OK > 0 && slices.Contains(who, key.Presenter) {
			names = append(names, key.Presenter)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s is let in with %s beside it, by a fallback or by a part that did not switch, which hides this until the %s", strings.Join(names, ", "), other, until)
}

// statuses are those of the cell; nothing where it has no counts.
func statuses(c *cell.Cell) map[string]int64 {
	if c.Sum == nil {
		return nil
	}
	return c.Sum.Statuses
}

// RevokedOther matches where an authority took the new credential until the old one was
// revoked, and has refused it from everybody since.
func RevokedOther(c *cell.Cell) (cell.Explanation, bool) {
	revoked, was := c.Begun(keyring.Revoke, c.Old)
	done, _ := c.Done(keyring.Revoke, c.Old) // a team's own step may be slow
	_, withdrawn := c.Done(keyring.Withdraw, c.Fresh)
	about := evidence.Nearly
	if !was || withdrawn || !c.Validator.Authority || c.Validator.Keys == 1 || !c.IsFresh() || c.First < revoked-about || c.First > max(revoked, done)+about {
		return cell.Explanation{}, false
	}
	before, since, old := c.RepliesTo(c.Fresh, c.Start, revoked-1), c.RepliesTo(c.Fresh, c.First, c.End), c.RepliesTo(c.Old, c.First+about, c.End)
	if before.Taken == 0 || since.Taken > 0 || len(since.Who) < 2 {
		return cell.Explanation{}, false
	}
	v, took := c.Validator.Name, "it took "+c.Fresh+" away too"
	if old.Taken > 0 {
		took = fmt.Sprintf("the step took away %s, and %s still takes %s", c.Fresh, v, c.Old)
	}
	return cell.Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: v, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("%s took %s until the step revoke of %s, and has refused it from everybody since (%s): %s", v, c.Fresh, c.Old, strings.Join(since.Who, ", "), took),
		Fix: fmt.Sprintf("have the step revoke name the credential to take away by its identifier (that of %s), not as the one in use or the newest; accept %s at %s again", c.Old, c.Fresh, v),
	}, true
}

// MadeInPlace matches where an authority refuses the old credential from everybody since the new one
// was made: it has room for one, or making one removes the others.
func MadeInPlace(c *cell.Cell) (cell.Explanation, bool) {
	accepted, was := c.Done(keyring.Accept, c.Fresh)
	emitted, used := c.Begun(keyring.Emit, c.Fresh)
	about := evidence.Nearly
	if !was || !c.Validator.Authority || c.Credential != c.Old || !c.BeforeRevoke(c.Sum) || c.First < madeAt(c.Evidence)-about || c.First > accepted+about || used && c.First > emitted ||
		c.RepliesTo(c.Old, c.First+about, c.End).Taken > 0 || c.RepliesTo(c.Fresh, c.Start, c.End).Taken == 0 {
		return cell.Explanation{}, false
	}
	v := c.Validator.Name
	return cell.Explanation{
		Cause: judge.CauseOneSlot, Consumer: v, CausedBy: string(keyring.Accept),
		Why: fmt.Sprintf("%s took %s until %s was made there, and has taken only %s since: it holds one at a time, or making a new one removes the others", v, c.Old, c.Fresh, c.Fresh),
		Fix: fmt.Sprintf("find out whether %s can hold two at a time, or make a new one without ending the old one, and have the step do that; with one at a time, no lead or window is long enough", v),
	}, true
}

// madeAt is when the new credential was made.
func madeAt(c *evidence.Evidence) history.Offset {
	for _, event := range c.Events {
		if event.Kind == history.KindCredential && event.Credential == c.Fresh {
			return event.At
		}
	}
	return 0
}

// MayNot matches where an authority takes the new credential but answers that it lacks a right (403,
// where others are answered otherwise).
func MayNot(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Validator.Authority || !c.IsFresh() || c.Sum.OK > 0 || c.Sum.Statuses["403"] < c.Sum.AuthFailures || c.RepliesTo(c.Fresh, c.Start, c.End).Self == 0 {
		return cell.Explanation{}, false
	}
	v := c.Validator.Name
	return cell.Explanation{
		Cause: judge.CauseLacksRights, Consumer: v, CausedBy: string(keyring.Emit),
		Why: fmt.Sprintf("%s takes %s from rehearse itself, and answers 403 to what %s asks with it: %s may not do what %s may", v, c.Fresh, c.Presenter, c.Fresh, c.Old),
		Fix: fmt.Sprintf("give the new one the rights (scopes, roles, resources) of %s, and have the canary make the requests that %s makes, not only one that any key may make", c.Old, c.Presenter),
	}, true
}

// FellBack matches where a presenter goes on with the old credential after the revoke because nobody
// takes the new one.
func FellBack(c *cell.Cell) (cell.Explanation, bool) {
	told, fell := TellFellBack(c.Evidence, c.Presenter, c.Validator.Name)
	return told, fell && c.UsedAfter()
}

// TellFellBack tells of a presenter that has shown the new credential to an authority since the emit and
// was always refused, as everybody was: it did switch, and falls back to the old one. False where that
// was not seen.
func TellFellBack(e *evidence.Evidence, presenter, authority string) (cell.Explanation, bool) {
	v, _ := e.Limits.Validator(authority)
	emitted, used := e.Done(keyring.Emit, e.Fresh)
	if !v.Authority || v.Keys == 1 || !used {
		return cell.Explanation{}, false
	}
	shown := e.Presentations(presenter, authority, e.Fresh, emitted-evidence.Nearly, e.End+1)
	canary, after := e.View.Said(authority, e.Fresh, history.Canary), e.View.Said(authority, e.Fresh, history.NewAfter)
	if _, took := e.LastTook(authority); took || shown.AuthFailures < evidence.LeastBeside || canary.Refused+after.Refused == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: authority, CausedBy: string(keyring.Accept),
		Why: fmt.Sprintf("%s presents %s since the emit, %s has never taken it from anybody, and %s falls back to %s", presenter, e.Fresh, authority, presenter, e.Old),
		Fix: fmt.Sprintf("have %s really accepted at %s first (check what the step accept does there): the fallback of %s hides this until %s is revoked", e.Fresh, authority, presenter, e.Old),
	}, true
}
