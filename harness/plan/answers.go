package plan

import (
	"math"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// inARow is how many equal answers in a row are believed of a validator that may have replicas
	// behind one address: one refusing replica of three is missed by so many once in 25,000 times, one
	// of ten once in fourteen.
	inARow = 25
	// inARowAtAuthority is the same for a party that decides itself, which may lock an account that was
	// refused too often.
	inARowAtAuthority = 5
	// leastShare is the smallest share of a validator's answers that comes from one replica: of twenty.
	leastShare = 0.05
	// unlikely is the chance below which refusals are no longer explained by what was usual.
	unlikely = 0.01
)

// InARow is how many equal answers are needed to believe a validator that may have replicas; one that
// is alone says the same each time.
func (v Validator) InARow() int64 {
	switch {
	case v.Alone:
		return 1
	case v.Authority:
		return inARowAtAuthority
	}
	return inARow
}

// Answer sums up the answers to a credential that a validator should take.
type Answer int

// The answers.
const (
	Unasked  Answer = iota
	Silent          // no answer decided anything
	Takes           // every answer took it
	Doubtful        // too few refused it for one replica's share, and more than were usual before
	Refuses         // so many refused it that a replica does
)

// Answered sums up a validator's answers to a credential that it should take. Refusals as frequent as
// before anything was changed have another reason, and do not count.
func (l Limits) Answered(view *history.View, validator, credential string, purpose history.Purpose) (Answer, history.Answers) {
	a := view.Said(validator, credential, purpose)
	switch {
	case a.Asked() == 0 && a.Unanswered == 0 && a.Unshown == "":
		return Unasked, a
	case a.Asked() == 0:
		return Silent, a
	case a.Refused == 0:
		return Takes, a
	}
	refused, of := view.Usual(l.JudgedAt, validator)
	switch {
	case refused > 0 && atLeast(a.Refused, a.Asked(), float64(refused)/float64(of)) > unlikely:
		return Takes, a
	case float64(a.Refused) < leastShare*float64(a.Asked()):
		return Doubtful, a
	}
	return Refuses, a
}

// atLeast is the chance that k or more of n are so where each is with chance p.
func atLeast(k, n int64, p float64) float64 {
	if p >= 1 {
		return 1
	}
	sum := 0.0
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	for i := k; i <= n; i++ {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}
