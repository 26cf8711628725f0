package judge

import "github.com/rehearse-dev/rehearse/harness/plan"

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

func (s *BudgetSpan) Add(c Cell) {
	s.Attempts += c.Attempts
	s.AuthFailures += c.AuthFailures
	s.Unavailable += c.Unavailable
}

func (s *BudgetSpan) Spend(objective float64) {
	s.Allowed = plan.Allowed(objective, s.Attempts)
	switch {
	case s.AuthFailures == 0:
	case s.Allowed <= 0:
		s.SpentRatio = -1
	default:
		s.SpentRatio = float64(s.AuthFailures) / s.Allowed
	}
}
