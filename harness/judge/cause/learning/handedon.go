package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// HandedOn matches where a validator refused the new credential that the validator behind it had
// refused as a canary. By its settings the front one calls the other, and may answer what that answers.
func HandedOn(c *cell.Cell) (cell.Explanation, bool) {
	front := c.Validator
	if !c.IsFresh() || c.HasFetches(front.Name) && c.Late() {
		return cell.Explanation{}, false // its own fetches show that it had not learned it
	}
	hands := front.Hands
	for _, v := range c.Limits.Validators { // a front that is no validator itself has no Hands
		if slices.Contains(v.Fronts, front.Name) && !slices.Contains(hands, v.Name) {
			hands = append(slices.Clone(hands), v.Name)
		}
	}
	i := slices.IndexFunc(hands, func(name string) bool {
		answer, _ := c.Limits.Answered(c.View, name, c.Fresh, history.Canary)
		return answer == plan.Refuses
	})
	if i < 0 {
		return cell.Explanation{}, false
	}
	behind, _ := c.Limits.Validator(hands[i])
	back := *c
	back.Validator, back.Way = behind, c.WayTo(behind)
	if !back.EverLearned && c.EverLearned && c.LearnedAt > c.First+evidence.Nearly { // both were then seen to take it
		back.LearnedAt, back.EverLearned, back.BySight = c.LearnedAt, true, true
	}
	return cell.Explanation{
		Cause: judge.CauseStaleCache, Consumer: behind.Name,
		Why: fmt.Sprintf("%s, whose address %s has in its settings, refused it as well when the harness showed it there, and %s answers as %s does if it hands on what it is shown%s; the lead was %s",
			behind.Name, front.Name, front.Name, behind.Name, back.UntilLearned(), c.Page(c.Lead())),
		Fix: back.FixLead() + fmt.Sprintf("; then look whether %s still refuses it", front.Name),
	}, true
}
