package cause

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// An authority has no cache: it takes what the steps tell it to take. Where it does not, a step was
// done without effect.

// authorityReplies counts an authority's answers to a credential in some stretch of time.
type authorityReplies struct {
	taken, refused int
	self           int // of those, taken from rehearse itself
	who            []string
}

// repliesTo counts the answers of the cell's authority to a credential in [from, to].
func (c *Cell) repliesTo(credential string, from, to history.Offset) (t authorityReplies) {
	for _, r := range c.replies() {
		switch {
		case r.credential != credential || r.at < from || r.at > to:
		case r.taken:
			if t.taken++; r.who == itself {
				t.self++
			}
		default:
			if t.refused++; !slices.Contains(t.who, r.who) {
				t.who = append(t.who, r.who)
			}
		}
	}
	return t
}

// stepHas says, by step, what the authority did not do with the credential.
var stepHas = map[keyring.Step]string{keyring.Accept: "%s has never taken %s", keyring.Restore: "%s does not take %s again"}

// withoutEffect matches where an authority refuses a credential from everybody although a step was to
// make it take it, and has not taken it since.
func withoutEffect(c *Cell) (Explanation, bool) {
	step := keyring.Accept
	if !c.isFresh() {
		step = keyring.Restore
	}
	at, done := c.Done(string(step), c.Credential)
	if !done || !c.Validator.Authority || c.Validator.Keys == 1 || c.First < at-evidence.Nearly {
		return Explanation{}, false
	}
	end := c.End
	for _, back := range []keyring.Step{keyring.Withdraw, keyring.Restore} {
		if gone, was := c.Begun(string(back), c.Fresh); c.isFresh() && was {
			end = gone
		}
	}
	said := c.repliesTo(c.Credential, at, end)
	if said.taken > 0 || said.refused == 0 || c.isFresh() && c.Symptom == Refused && len(said.who) < 2 {
		return Explanation{}, false
	}
	v, hint := c.Validator.Name, ""
	for _, status := range slices.Sorted(maps.Keys(c.statuses())) {
		if is := refusal.Hint(status); is != "" && hint == "" {
			hint = " (" + is + ")"
		}
	}
	return Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: v, CausedBy: string(step),
		Why: fmt.Sprintf("%s: the step %s reported success, and everybody who presented %s since was refused (%s)", fmt.Sprintf(stepHas[step], v, c.Credential), step, c.Credential, strings.Join(said.who, ", ")) + c.meanwhile(said.who),
		Fix: fmt.Sprintf("check what the step %s really does at %s, and the state of %s there (disabled, of another environment, not allowed from this address, expired)%s; try it by hand until it is taken, then rehearse again",
			step, v, c.Credential, hint),
	}, true
}

// meanwhile is the half sentence about the presenters of a refused credential that are let in with the other one beside
// it: what callers see does not show the refusals then, until that one is taken away.
func (c *Cell) meanwhile(who []string) string {
	other, until := c.Old, keyring.Revoke
	if !c.isFresh() {
		other, until = c.Fresh, keyring.Withdraw
	}
	to := c.End
	if at, began := c.Begun(string(until), other); began {
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
func (c *Cell) statuses() map[string]int64 {
	if c.Sum == nil {
		return nil
	}
	return c.Sum.Statuses
}

// revokedOther matches where an authority took the new credential until the old one was
// revoked, and has refused it from everybody since.
func revokedOther(c *Cell) (Explanation, bool) {
	revoked, was := c.Begun(string(keyring.Revoke), c.Old)
	done, _ := c.Done(string(keyring.Revoke), c.Old) // a team's own step may be slow
	_, withdrawn := c.Done(string(keyring.Withdraw), c.Fresh)
	about := evidence.Nearly
	if !was || withdrawn || !c.Validator.Authority || c.Validator.Keys == 1 || !c.isFresh() || c.First < revoked-about || c.First > max(revoked, done)+about {
		return Explanation{}, false
	}
	before, since, old := c.repliesTo(c.Fresh, c.Start, revoked-1), c.repliesTo(c.Fresh, c.First, c.End), c.repliesTo(c.Old, c.First+about, c.End)
	if before.taken == 0 || since.taken > 0 || len(since.who) < 2 {
		return Explanation{}, false
	}
	v, took := c.Validator.Name, "it took "+c.Fresh+" away too"
	if old.taken > 0 {
		took = fmt.Sprintf("the step took away %s, and %s still takes %s", c.Fresh, v, c.Old)
	}
	return Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: v, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("%s took %s until the step revoke of %s, and has refused it from everybody since (%s): %s", v, c.Fresh, c.Old, strings.Join(since.who, ", "), took),
		Fix: fmt.Sprintf("have the step revoke name the credential to take away by its identifier (that of %s), not as the one in use or the newest; accept %s at %s again", c.Old, c.Fresh, v),
	}, true
}

// madeInPlace matches where an authority refuses the old credential from everybody since the new one
// was made: it has room for one, or making one removes the others.
func madeInPlace(c *Cell) (Explanation, bool) {
	accepted, was := c.Done(string(keyring.Accept), c.Fresh)
	emitted, used := c.Begun(string(keyring.Emit), c.Fresh)
	about := evidence.Nearly
	if !was || !c.Validator.Authority || c.Credential != c.Old || !c.beforeRevoke(c.Sum) || c.First < c.madeAt()-about || c.First > accepted+about || used && c.First > emitted {
		return Explanation{}, false
	}
	if c.repliesTo(c.Old, c.First+about, c.End).taken > 0 || c.repliesTo(c.Fresh, c.Start, c.End).taken == 0 {
		return Explanation{}, false
	}
	v := c.Validator.Name
	return Explanation{
		Cause: judge.CauseOneSlot, Consumer: v, CausedBy: string(keyring.Accept),
		Why: fmt.Sprintf("%s took %s until %s was made there, and has taken only %s since: it holds one at a time, or making a new one removes the others", v, c.Old, c.Fresh, c.Fresh),
		Fix: fmt.Sprintf("find out whether %s can hold two at a time, or make a new one without ending the old one, and have the step do that; with one at a time, no lead or window is long enough", v),
	}, true
}

// madeAt is when the new credential was made.
func (c *Case) madeAt() history.Offset {
	for _, event := range c.Events {
		if event.Kind == history.KindCredential && event.Credential == c.Fresh {
			return event.At
		}
	}
	return 0
}

// mayNot matches where an authority takes the new credential but answers that it lacks a right (403,
// where others are answered otherwise).
func mayNot(c *Cell) (Explanation, bool) {
	if !c.Validator.Authority || !c.isFresh() || c.Sum.OK > 0 || c.Sum.Statuses["403"] < c.Sum.AuthFailures || c.repliesTo(c.Fresh, c.Start, c.End).self == 0 {
		return Explanation{}, false
	}
	v := c.Validator.Name
	return Explanation{
		Cause: judge.CauseLacksRights, Consumer: v, CausedBy: string(keyring.Emit),
		Why: fmt.Sprintf("%s takes %s from rehearse itself, and answers 403 to what %s asks with it: %s may not do what %s may", v, c.Fresh, c.Presenter, c.Fresh, c.Old),
		Fix: fmt.Sprintf("give the new one the rights (scopes, roles, resources) of %s, and have the canary make the requests that %s makes, not only one that any key may make", c.Old, c.Presenter),
	}, true
}

// revokedEarly matches where a rotator revoked a credential before it had replaced it.
func revokedEarly(c *Cell) (Explanation, bool) {
	told, early := c.RevokedEarly()
	return told, early && c.usedAfter()
}

// RevokedEarly tells of a rotator that revoked the old credential before the new one was in use; false
// where it did not.
func (e *Case) RevokedEarly() (Explanation, bool) {
	revoked, was := e.Done(string(keyring.Revoke), e.Old)
	emitted, used := e.Begun(string(keyring.Emit), e.Fresh)
	if !e.Limits.Rotator() || !was || used && emitted <= revoked {
		return Explanation{}, false
	}
	told := Explanation{
		Cause: judge.CauseFlagDay, Consumer: RotatorName, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("the rotator revoked %s and never had %s in use", e.Old, e.Fresh),
		Fix: fmt.Sprintf("have the rotator put the new one into use first, wait for the window (%s), and revoke only when the use of the old one is zero", plan.Text(e.Limits.G2())),
	}
	if used {
		told.Why = fmt.Sprintf("the rotator revoked %s %s before it had %s in use", e.Old, e.Page(emitted-revoked), e.Fresh)
	}
	return told, true
}

// notSwitchedBack matches where an emitter never went back to the old credential before
// the new one was withdrawn.
func notSwitchedBack(c *Cell) (Explanation, bool) {
	withdrawn, ok := c.Done(string(keyring.Withdraw), c.Fresh)
	emitter := c.EmitterOf(c.Presenter)
	emitted, was := c.Done(string(keyring.Emit), c.Fresh)
	if !ok || !was || !c.isFresh() || c.Presenter == "" || c.First < withdrawn-evidence.Nearly ||
		c.View.Emitting[emitter] != c.Fresh || c.View.Switched[emitter][c.Old] > emitted {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter, CausedBy: string(keyring.Withdraw),
		Why: fmt.Sprintf("%s never went back to %s, and went on with %s after it was withdrawn", emitter, c.Old, c.Fresh),
		Fix: fmt.Sprintf("look at what is to make %s use %s again on the way back (the step emit-back, which reported success): withdraw %s only when its use is zero", emitter, c.Old, c.Fresh),
	}, true
}
