package rules

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// budget adds up what was counted where the credential is checked.
func (e *judging) budget(cells []judge.Cell) judge.Budget {
	b := judge.Budget{Objective: e.Limits.Objective, Clients: []judge.BudgetSpan{}}
	for _, c := range cells {
		if c.Source != e.Limits.JudgedAt {
			continue
		}
		i := slices.IndexFunc(b.Clients, func(have judge.BudgetSpan) bool { return have.Presenter == c.Presenter })
		if i < 0 {
			i = len(b.Clients)
			b.Clients = append(b.Clients, judge.BudgetSpan{Presenter: c.Presenter})
		}
		b.Clients[i].Add(c)
		b.Total.Add(c)
	}
	for i := range b.Clients {
		b.Clients[i].Spend(b.Objective)
	}
	b.Total.Spend(b.Objective)
	return b
}
