package plan

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Due is how many requests of a client were due in [from, until), by its planned rate and the run's
// changes of it.
func (c Client) Due(v *history.View, from, until history.Offset) float64 {
	rate := c.Rate
	if c.Later {
		rate = 0
	}
	due, at := 0.0, from
	for _, change := range slices.Concat(v.Rates[c.Name], []history.RateSince{{At: until}}) {
		if end := min(change.At, until); end > at {
			due += rate * (end - at).Duration().Seconds()
			at = end
		}
		rate = change.Rate
	}
	return due
}

// LeastRate is the lowest rate above 0 that a client had.
func (c Client) LeastRate(v *history.View) float64 {
	least := c.Rate
	for _, change := range v.Rates[c.Name] {
		if change.Rate > 0 {
			least = min(least, change.Rate)
		}
	}
	return least
}
