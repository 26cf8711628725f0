package plan

import (
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// mostGroups is how many sessions simulate many equal clients: each stands for as many of theirs.
	mostGroups = 1000
	// MostMoments is at how many moments of a second a client's requests are simulated. Beyond that one
	// session makes several at a moment, which costs no more.
	MostMoments = 200
)

// together makes one client of many equal ones: its rates and sessions are the sums of theirs.
func together(c *scenario.Client) {
	if c.Count < 2 {
		return
	}
	c.Rate *= scenario.Rate(c.Count)
	c.Steps = slices.Clone(c.Steps)
	for i := range c.Steps {
		c.Steps[i].Rate *= scenario.Rate(c.Count)
	}
	c.Sessions *= c.Count
}

// group has each session stand for several of many clients, at least as many as make their requests at
// one moment.
func (c *Client) group(most scenario.Rate) {
	all := c.Sessions
	at := max(1, int(math.Ceil(float64(most)/MostMoments)))
	c.Sessions = max(1, min(all/at, mostGroups))
	c.Each = (all + c.Sessions - 1) / c.Sessions
}
