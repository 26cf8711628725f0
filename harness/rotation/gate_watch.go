package rotation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// watch holds when every validator refused the old credential and takes the new
// one. It says by when each may be expected to refuse it, by the page and by what
// this run has seen.
func (l Look) watch() (string, []refusal) {
	var refusals []refusal
	since := plan.Text(l.since(string(keyring.Revoke), Old))
	why, lacks := l.Limits.Lacks(revocation)
	var unshown []string
	late := map[string]bool{}
	for _, v := range l.Limits.Validators {
		if set, known := l.published(v.From); known && slices.Contains(set, Old) && l.mustPublish(v, string(keyring.Revoke), Old) {
			late[v.From] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(late)) {
		refusals = append(refusals, refusal{consumer: name, why: fmt.Sprintf("%s still publishes %s %s after the revoke", name, Old, since)})
	}
	for _, v := range l.Limits.Validators {
		if why := l.keeps(v, late[v.From], since); why != "" {
			refusals = append(refusals, refusal{consumer: v.Name, why: why})
		}
		if a := l.View.Said(v.Name, Old, history.OldAfter); !lacks && (a.Asked() == 0 && a.Unanswered == 0 && a.Unshown != "" || l.ranOut(v, a)) {
			unshown = append(unshown, a.Unshown)
		}
		_, holds := l.View.Holds[v.Name][New]
		if late[v.From] && !holds {
			continue // its emitter does not give it the credential
		}
		if untold, is := l.unlike(v, New, history.NewAfter); is {
			refusals = append(refusals, untold)
		} else if _, why := l.answerOf(v, New, history.NewAfter); why != "" {
			refusals = append(refusals, refusal{consumer: v.Name, why: why})
		}
	}
	if lacks {
		return fmt.Sprintf("every validator takes %s; none was shown %s, so that nothing says whether it is refused: %s", New, Old, why), refusals
	}
	if len(unshown) > 0 {
		return fmt.Sprintf("every validator takes %s; whether each refuses %s could not be asked: %s", New, Old, strings.Join(unshown, "; ")), refusals
	}
	return fmt.Sprintf("every validator refuses %s and takes %s", Old, New), refusals
}

// refusesBy says by when a validator may be expected to refuse what was revoked.
func (l Look) refusesBy(v plan.Validator) string {
	for _, b := range l.Limits.BoundsSeen(plan.Sight{View: l.View, Old: Old, New: New}) {
		switch {
		case b.Rule != "G3" || b.Validator != v.Name:
		case b.Needed == runbook.Forever:
			return "and nothing will ever make it refuse it"
		case !b.Held:
			return b.Short()
		}
	}
	if g3 := l.Limits.G3(v); g3 != runbook.Forever { // of one off the page no bound is held
		return "the bound is " + plan.Text(g3)
	}
	return "and nothing will ever make it refuse it"
}

// ranOut says that nothing was left to present to a validator before its bound was over: it was still
// allowed to take the old credential until then.
func (l Look) ranOut(v plan.Validator, a history.Answers) bool {
	revoked, g3 := l.View.Steps[string(keyring.Revoke)][Old], l.Limits.G3(v)
	return a.Taken > 0 && a.InARow == 0 && a.UnshownSince != 0 && g3 != runbook.Forever && a.LastAsked <= revoked+history.Offset(l.Limits.Wall(g3)+v.Granule)
}

// keeps says that a validator does not refuse the old credential, or could not be asked; "" where every
// answer since refuses it. A validator whose emitter publishes the old one for too long is not at
// fault.
func (l Look) keeps(v plan.Validator, publishedLate bool, since string) string {
	a := l.View.Said(v.Name, Old, history.OldAfter)
	_, lacks := l.Limits.Lacks(revocation)
	settled := a.InARow >= v.InARow() || a.InARow > 0 && a.Again == 0
	switch {
	case settled || a.Taken > 0 && publishedLate || l.ranOut(v, a):
		return ""
	case a.InARow > 0 || a.Again > 0:
		return fmt.Sprintf("%s took %s again after it had refused it, %d of %d times: not all of its replicas refuse it, or somebody gave it back", v.Name, Old, a.Taken, a.Asked())
	case a.Last.Outcome == history.Unavailable && a.Taken > 0:
		return fmt.Sprintf("%s gave no answer about %s any more (%s)", v.Name, Old, a.Last.Status)
	case a.Taken > 0:
		return fmt.Sprintf("%s still takes %s %s after the revoke, %s", v.Name, Old, since, l.refusesBy(v))
	case lacks, a.Asked() == 0 && a.Unanswered == 0 && a.Unshown != "": // nothing could be shown to it
		return ""
	case a.Unanswered > 0:
		return fmt.Sprintf("%s %s", v.Name, l.Limits.Neither(Old, a.Last.Status))
	}
	return fmt.Sprintf("%s was not asked whether it refuses %s", v.Name, Old)
}

// revocation is the judge's rule that needs a token which outlives the revoke.
const revocation = "revocation"
