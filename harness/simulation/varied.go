package simulation

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Varied is a duration that was drawn for each of many rehearsals, and what hung on it.
type Varied struct {
	Path  string        `json:"path"`
	Least time.Duration `json:"least_ns"` // that was drawn; page time
	Most  time.Duration `json:"most_ns"`
	// Shorter is the chance of any refusal in the half of the rehearsals in which it was
	// shortest, and Longer in the other: the further they lie apart, the more hangs on it.
	Shorter Interval `json:"chance_where_shorter"`
	Longer  Interval `json:"chance_where_longer"`
}

// VariedOf are the durations that were drawn for some samples, those first on which most
// hangs.
func VariedOf(samples []Sample) []Varied {
	if len(samples) == 0 {
		return nil
	}
	var all []Varied
	for _, path := range slices.Sorted(maps.Keys(samples[0].Drawn)) {
		sorted := slices.Clone(samples)
		slices.SortStableFunc(sorted, func(a, b Sample) int { return cmp.Compare(a.Drawn[path], b.Drawn[path]) })
		v := Varied{Path: path, Least: sorted[0].Drawn[path], Most: sorted[len(sorted)-1].Drawn[path]}
		half := len(sorted) / 2
		v.Shorter, v.Longer = refusedIn(sorted[:half]), refusedIn(sorted[half:])
		all = append(all, v)
	}
	apart := func(v Varied) float64 {
		return max(v.Longer.Estimate-v.Shorter.Estimate, v.Shorter.Estimate-v.Longer.Estimate)
	}
	slices.SortStableFunc(all, func(a, b Varied) int { return -cmp.Compare(apart(a), apart(b)) })
	return all
}

// refusedIn is the chance of any refusal.
func refusedIn(samples []Sample) Interval {
	n := 0
	for _, s := range samples {
		if s.Refused > 0 {
			n++
		}
	}
	return Chance(n, len(samples))
}
