package switching

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// OldKid matches where the old credential was refused only in a few sessions, all with tokens from the
// moment in which the emitter switched, and was taken from everybody else. An issuer that reads the
// name of its key and its private half separately does that: in between it names one key and signs with
// the other (seen of Ory Hydra v2.3.0).
func OldKid(c *cell.Cell) (cell.Explanation, bool) {
	if c.Credential != c.Old || !c.BeforeRevoke(c.Sum) || len(c.Sum.FailedSessions) == 0 {
		return cell.Explanation{}, false
	}
	made := map[string]history.Offset{} // by session
	for _, example := range c.Sum.Examples {
		if before := made[example.Session]; before != 0 && before != example.IssuedAt {
			return cell.Explanation{}, false // another token was refused too
		}
		made[example.Session] = example.IssuedAt
	}
	for session := range c.Sum.FailedSessions {
		if made[session] == 0 {
			return cell.Explanation{}, false // its token has no time
		}
	}
	var first history.Offset
	step := ""
	for _, at := range made {
		s, over := wentOver(c, at)
		if !over {
			return cell.Explanation{}, false
		}
		if first == 0 || at < first {
			first, step = at, s
		}
	}
	nearly := evidence.Nearly
	if t := c.Tally(c.Old, c.First-nearly, c.Last+nearly); t.Of-t.Bad < t.Bad || t.Of == t.Bad {
		return cell.Explanation{}, false
	}
	emitter := c.EmitterOf(c.Presenter)
	return cell.Explanation{
		Cause: judge.CauseOldKid, Consumer: emitter, CausedBy: step,
		Why: fmt.Sprintf("only what %s issued at %s, as it switched to %s, was refused (%s), and other tokens of %s were taken throughout: such a token may name %s and be signed with %s",
			emitter, c.Moment(first), c.Fresh, plan.Counted(int64(len(made)), "session"), c.Old, c.Old, c.Fresh),
		Fix: fmt.Sprintf("check the signature of what %s issues at that moment against both keys; it must read a key's kid and its private half together", emitter),
	}, true
}

// wentOver reports whether a moment lies in a step with which an emitter may switch to the new
// credential, and in which.
func wentOver(c *cell.Cell, at history.Offset) (step string, over bool) {
	nearly := evidence.Nearly
	for _, s := range []keyring.Step{keyring.Emit, keyring.Accept} {
		begun, was := c.Begun(s, c.Fresh)
		done, ended := c.Done(s, c.Fresh)
		if was && ended && at >= begun-nearly && at <= done+nearly {
			return string(s), true
		}
	}
	return "", false
}
