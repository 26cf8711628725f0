package reports

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// FindingChange is one finding in both runs, or in the one of them that has it.
type FindingChange struct {
	Change Change         `json:"change"`
	Before *judge.Finding `json:"before,omitempty"`
	After  *judge.Finding `json:"after,omitempty"`
}

// One is the finding as the latest run that has it tells it.
func (f FindingChange) One() judge.Finding {
	if f.After != nil {
		return *f.After
	}
	return *f.Before
}

// news reports whether a finding is an error now and was not one before.
func (f FindingChange) news() bool {
	return f.After != nil && f.After.Level == judge.Error && (f.Change == Appeared || f.Change == Worse)
}

// gone reports whether a finding was an error before and is none now.
func (f FindingChange) gone() bool {
	return f.Before != nil && f.Before.Level == judge.Error && (f.Change == Gone || f.Change == Better)
}

// findingKey identifies a finding across runs: who was refused with what, by whom, whatever the
// mechanism: the same users felt it. Without client and service the party to look at and the step
// identify it.
type findingKey struct{ rule, presenter, validator, credential, consumer, causedBy string }

func aboutOf(f judge.Finding) findingKey {
	a := findingKey{rule: f.RuleID, presenter: f.Presenter, validator: f.Validator, credential: f.Credential}
	if f.Presenter == "" && f.Validator == "" {
		a.consumer, a.causedBy = f.Consumer, f.CausedBy
	}
	return a
}

// findingChanges pairs the findings of two runs: those of the run after, errors
// first, and then those that only the run before had.
func findingChanges(before, after *Model) []FindingChange {
	changes := []FindingChange{}
	rest := ByWeight(before.Findings)
	for _, f := range ByWeight(after.Findings) {
		change := FindingChange{Change: Appeared, After: &f}
		if i := slices.IndexFunc(rest, func(b judge.Finding) bool { return aboutOf(b) == aboutOf(f) }); i >= 0 {
			was := rest[i]
			change.Before, change.Change = &was, levels(was.Level, f.Level)
			rest = slices.Delete(rest, i, i+1)
		}
		changes = append(changes, change)
	}
	for _, f := range rest {
		change := FindingChange{Change: Gone, Before: &f}
		if f.Presenter != "" && f.Validator != "" && exercised(before, f) && !exercised(after, f) {
			change.Change = NotExercised
		}
		changes = append(changes, change)
	}
	return changes
}

// levels compares how much a finding weighs.
func levels(before, after judge.Level) Change {
	switch {
	case before == after:
		return Same
	case after == judge.Error:
		return Worse
	case before == judge.Error:
		return Better
	}
	return Differs
}

// exercised reports whether a run has attempts of a finding's client at its service.
func exercised(m *Model, f judge.Finding) bool {
	return slices.ContainsFunc(m.Cells, func(c judge.Cell) bool {
		return c.Presenter == f.Presenter && c.Validator == f.Validator && c.Attempts > 0
	})
}
