package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// handedOn matches where a validator by whose settings it calls another one refused the new
// credential, which that other one had refused when the harness showed it the canary: who
// hands on what it is shown answers as the one behind it does.
func handedOn(c *Cell) (Explanation, bool) {
	front := c.Validator
	if !c.isFresh() || c.HasFetches(front.Name) && c.late() {
		return Explanation{}, false // by its own fetches it had not learned it
	}
	hands := front.Hands
	for _, v := range c.Limits.Validators { // a front that is no validator itself
		if slices.Contains(v.Fronts, front.Name) && !slices.Contains(hands, v.Name) {
			hands = append(slices.Clone(hands), v.Name)
		}
	}
	i := slices.IndexFunc(hands, func(name string) bool {
		answer, _ := c.Limits.Answered(c.View, name, c.Fresh, history.Canary)
		return answer == plan.Refuses
	})
	if i < 0 {
		return Explanation{}, false
	}
	behind, _ := c.Limits.Validator(hands[i])
	back := *c
	back.Validator, back.Way = behind, c.WayTo(behind)
	if !back.EverLearned && c.EverLearned && c.LearnedAt > c.First+evidence.Nearly { // both were seen to take it then
		back.LearnedAt, back.EverLearned, back.BySight = c.LearnedAt, true, true
	}
	return Explanation{
		Cause: judge.CauseStaleCache, Consumer: behind.Name,
		Why: fmt.Sprintf("%s, whose address %s has in its settings, refused it as well when the harness showed it there, and %s answers as %s does if it hands on what it is shown%s; the lead was %s",
			behind.Name, front.Name, front.Name, behind.Name, back.until(), c.Page(c.Lead())),
		Fix: back.fixLead() + fmt.Sprintf("; then look whether %s still refuses it", front.Name),
	}, true
}
