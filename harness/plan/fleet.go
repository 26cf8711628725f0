package plan

import (
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// mostGroups is how many sessions are simulated of many clients alike: each then stands
	// for as many of theirs.
	mostGroups = 1000
	// MostMoments is how many moments of a second there are at which the requests of a client
	// are simulated. Of more requests several are made at a moment, by one session: they are
	// counted, and cost no more.
	MostMoments = 200
)

// together makes one client of the many that there are of it: its rates are those of all of
// them, and so are its sessions.
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

// group has the sessions of many clients stand for several of them each, at least for as many
// as make their requests at one moment.
func (c *Client) group(most scenario.Rate) {
	all := c.Sessions
	at := max(1, int(math.Ceil(float64(most)/MostMoments)))
	c.Sessions = max(1, min(all/at, mostGroups))
	c.Each = (all + c.Sessions - 1) / c.Sessions
}
