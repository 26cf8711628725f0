package cause

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/learning"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// unknown tells what is known of a refusal that no detector explains, and where to look further.
func unknown(c *cell.Cell) cell.Explanation {
	if !c.IsFresh() {
		return unknownOld(c)
	}
	told := cell.Explanation{
		Cause: judge.CauseUnknown,
		Why:   fmt.Sprintf("it was refused although %s had learned it %s after it was accepted", c.Validator.Name, c.Page(c.LearnedAt-c.Accepted)),
		Fix:   lookIntoTheLog(c),
	}
	if !c.EverLearned {
		told.Why = fmt.Sprintf("%s refused it at times and took it at others, and no log says when it learned it", c.Validator.Name)
	}
	if c.EverLearned && learning.NeverTook(c) {
		told.Why = fmt.Sprintf("%s fetched it %s after it was accepted, and still refused it from everybody", c.Validator.Name, c.Page(c.LearnedAt-c.Accepted))
		told.Fix += fmt.Sprintf("; look for a list of keys that it is bound to (pinned kids, an allow-list), and for what its library does not take of %s and takes of %s (type, alg, use); no lead is long enough for either", c.Fresh, c.Old)
	}
	if c.Validator.Authority {
		told.Why = fmt.Sprintf("%s takes %s from others, and refuses what %s presents as it: either its value is another, or %s may not be used for what %s asks there (another environment, a scope, an address that it is bound to)",
			c.Validator.Name, c.Fresh, c.Presenter, c.Fresh, c.Presenter)
		if c.RepliesTo(c.Fresh, c.Start, c.End).Taken == 0 {
			told.Why = fmt.Sprintf("%s was never seen to take %s from anybody", c.Validator.Name, c.Fresh)
		}
	}
	if c.Validator.Authority && wrongPassword(c) {
		told.Consumer = c.Presenter
		told.Why = fmt.Sprintf("%s lets rehearse itself in with %s, and refuses what %s presents as its password", c.Validator.Name, c.Fresh, c.Presenter)
		told.Fix = fmt.Sprintf("look at what %s has as %s", c.Presenter, c.Fresh)
	}
	if c.Validator.Authority || c.Validator.Reads { // both sides hold the value, and it may differ
		told.Fix += fmt.Sprintf("; compare what %s has as %s with what %s has, by fingerprint, before emitting", c.Validator.Name, c.Fresh, c.Presenter)
	}
	return told
}

// unknownOld is unknown, of the old credential before its revoke. An authority that takes it no more, from whoever
// presents it, was had to by somebody who is none of the rotation.
func unknownOld(c *cell.Cell) cell.Explanation {
	v := c.Validator.Name
	told := cell.Explanation{
		Cause: judge.CauseUnknown,
		Why:   fmt.Sprintf("%s refused %s before it was revoked", v, c.Old),
		Fix:   lookIntoTheLog(c),
	}
	revoked, was := c.Begun(keyring.Revoke, c.Old)
	if !was {
		revoked = c.End
	}
	if c.Validator.Authority && c.RepliesTo(c.Old, c.Start, c.First-1).Taken > 0 && c.RepliesTo(c.Old, c.First+evidence.BucketWidth, revoked-1).Taken == 0 {
		told.Why = fmt.Sprintf("%s took %s until %s, and from then on no more, before it was revoked", v, c.Old, c.Moment(c.First))
		if step, at, ok := lastBefore(c, c.First); ok {
			told.Why += fmt.Sprintf(" and %s after the step %s", c.Page(c.First-at), step)
		}
		told.Fix += fmt.Sprintf(" for what ended %s there (a job that removes old ones, an expiry, a limit on their number, another rotation), and keep it until the revoke", c.Old)
	}
	return told
}

// lastBefore is the step that was done last before a moment, and when.
func lastBefore(c *cell.Cell, moment history.Offset) (step string, at history.Offset, ok bool) {
	for _, is := range []keyring.Step{keyring.Accept, keyring.Emit} {
		if done, was := c.Done(is, c.Fresh); was && done <= moment && done >= at {
			step, at, ok = string(is), done, true
		}
	}
	return step, at, ok
}

// unsaidStatus is the status of a refusal in a log that gives none.
const unsaidStatus = "refused"

// ofPasswords finds the words with which logs say that a password is not the right one.
var ofPasswords = regexp.MustCompile(`(?i)password authentication failed|(?:wrong|invalid|incorrect|bad) password`)

// saysWrongPassword reports whether the validator's own log says of most refusals of the cell that the password is wrong.
func saysWrongPassword(c *cell.Cell) bool {
	identifier := ""
	for _, event := range c.Events {
		if event.Kind == history.KindCredential && event.Credential == c.Credential {
			identifier = event.Identifier
		}
	}
	return identifier != "" && slices.ContainsFunc(saidBy(c.Evidence, c.Validator.Name), func(line history.SaidLine) bool {
		return line.First >= c.First-2*evidence.Nearly && 2*line.Count >= c.Sum.AuthFailures && ofPasswords.MatchString(line.Text) && strings.Contains(line.Text, identifier)
	})
}

// wrongPassword reports whether an authority refused a presenter's every new credential for its value,
// and let the harness in with the right one.
func wrongPassword(c *cell.Cell) bool {
	for status, n := range c.Sum.Statuses {
		if n > 0 && !refusal.WrongValue(status) && !(status == unsaidStatus && saysWrongPassword(c)) {
			return false
		}
	}
	// Where the harness was refused at some time too, it was not the value alone.
	said := c.RepliesTo(c.Fresh, c.Start, c.End)
	return c.Sum.OK == 0 && said.Self > 0 && !slices.Contains(said.Who, cell.Itself)
}
