package simulation

import "math"

// Interval is an estimate of a chance, with the limits between which it lies with a
// confidence of 95 %.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// z is the standard normal deviate of a two-sided confidence of 95 %.
const z = 1.959963984540054

// Chance is the chance of what came k times in n, by the score interval of Wilson
// (E. B. Wilson, JASA 22, 1927): unlike the normal approximation it holds where k is 0
// or n.
func Chance(k, n int) Interval {
	if n == 0 {
		return Interval{High: 1}
	}
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{p, max(0, centre-half), min(1, centre+half)}
}

// LeastRuns is how many rehearsals it takes to show that a chance is at most p, where
// nothing comes in any of them.
func LeastRuns(p float64) int {
	if p <= 0 {
		return math.MaxInt
	}
	return int(math.Ceil(z * z * (1 - p) / p))
}

// Mean is the mean of figures with its limits: those of a rehearsal hang together, so
// that it is the rehearsals that are counted.
func Mean(figures []float64) Interval {
	n := float64(len(figures))
	if n == 0 {
		return Interval{High: 1}
	}
	var sum, squares float64
	for _, f := range figures {
		sum += f
	}
	mean := sum / n
	for _, f := range figures {
		squares += (f - mean) * (f - mean)
	}
	half := 0.0
	if n > 1 {
		half = z * math.Sqrt(squares/(n-1)/n)
	}
	return Interval{mean, max(0, mean-half), min(1, mean+half)}
}
