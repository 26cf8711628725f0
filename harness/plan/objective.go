package plan

import "math"

// Allowed is how many of some attempts may fail within an objective, a share in
// [0, 1]. It is rounded to a thousandth of an attempt: 99.9 % of 1000 leave 1,
// and in binary a little less or more.
func Allowed(objective float64, attempts int64) float64 {
	return math.Round((1-objective)*float64(attempts)*1000) / 1000
}

// Within reports whether so many failures of attempts lie within an objective.
func Within(objective float64, failures, attempts int64) bool {
	return failures == 0 || float64(failures) <= Allowed(objective, attempts)
}

// Spent is the part of the error budget of an objective that failures spent: 1 is
// all of it. An objective of 100 % has no budget, and each failure is one too many.
func Spent(objective float64, failures, attempts int64) float64 {
	allowed := Allowed(objective, attempts)
	if allowed <= 0 {
		return float64(failures)
	}
	return float64(failures) / allowed
}
