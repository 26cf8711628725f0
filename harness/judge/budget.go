package judge

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Budget is what the page's objective allows to fail over the length of the
// run, and what did: for each presenter where the credential is checked, and in all.
type Budget struct {
	Objective float64      `json:"objective"` // share of first attempts
	Clients   []BudgetSpan `json:"clients"`
	Total     BudgetSpan   `json:"total"`
}

// BudgetSpan is the budget of one presenter. Auth failures spend it, and what was
// not available is told beside them.
type BudgetSpan struct {
	Presenter    string  `json:"presenter,omitempty"`
	Attempts     int64   `json:"attempts"`
	Allowed      float64 `json:"allowed"` // of them to fail
	AuthFailures int64   `json:"auth_failures"`
	Unavailable  int64   `json:"unavailable"`
	SpentRatio   float64 `json:"spent_ratio"` // 1: all of it; -1: nothing is allowed and something failed
}

// budget adds up what was counted where the credential is checked.
func (e *evidence) budget(cells []Cell) Budget {
	b := Budget{Objective: e.limits.Objective, Clients: []BudgetSpan{}}
	for _, c := range cells {
		if c.Source != e.limits.Hop {
			continue
		}
		i := slices.IndexFunc(b.Clients, func(have BudgetSpan) bool { return have.Presenter == c.Presenter })
		if i < 0 {
			i = len(b.Clients)
			b.Clients = append(b.Clients, BudgetSpan{Presenter: c.Presenter})
		}
		b.Clients[i].add(c)
		b.Total.add(c)
	}
	for i := range b.Clients {
		b.Clients[i].spend(b.Objective)
	}
	b.Total.spend(b.Objective)
	return b
}

func (s *BudgetSpan) add(c Cell) {
	s.Attempts += c.Attempts
	s.AuthFailures += c.AuthFailures
	s.Unavailable += c.Unavailable
}

func (s *BudgetSpan) spend(objective float64) {
	s.Allowed = plan.Allowed(objective, s.Attempts)
	switch {
	case s.AuthFailures == 0:
	case s.Allowed <= 0:
		s.SpentRatio = -1
	default:
		s.SpentRatio = float64(s.AuthFailures) / s.Allowed
	}
}
