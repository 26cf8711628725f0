package scenario

import (
	"cmp"
	"fmt"
	"slices"
)

// RateStep is a change of a client's rate.
type RateStep struct {
	// At is when: a phase, with an optional distance in page time: emit+10s.
	At   Moment `yaml:"at" json:"at"`
	Rate Rate   `yaml:"rate" json:"rate"` // what it is from then on, as 400/s
}

// Pace is the rate at which a client begins, and what changes it later, in order; its
// last change is to 0 where the client ends before the rehearsal does.
func (c Client) Pace() (begins Rate, changes []RateStep) {
	if begins = c.Rate; c.From != nil {
		begins, changes = 0, append(changes, RateStep{*c.From, c.Rate})
	}
	changes = append(changes, c.Steps...)
	if c.Until != nil {
		changes = append(changes, RateStep{*c.Until, 0})
	}
	return begins, changes
}

// Most is the highest rate that a client has.
func (c Client) Most() Rate {
	most := c.Rate
	for _, s := range c.Steps {
		most = max(most, s.Rate)
	}
	return most
}

// compare is negative where m comes before another moment, by the order of phases.
func (m Moment) compare(other Moment) int {
	at := func(m Moment) int { return slices.Index(Phases(), m.Phase) }
	return cmp.Or(cmp.Compare(at(m), at(other)), cmp.Compare(m.After, other.After))
}

// pace holds a client's beginning, steps and end against each other: each comes later
// than the one before. That a distance may reach into the next phase is not looked at.
func (c check) pace(path string, client Client) {
	var last *Moment
	later := func(path string, m Moment) {
		if m.Phase == "" {
			return // it was reported when it was read
		}
		if last != nil && m.compare(*last) <= 0 {
			c.Report(path, "", "%s does not come after %s", m, *last)
		}
		last = &m
	}
	if client.From != nil {
		later(path+".from", *client.From)
	}
	for i, s := range client.Steps {
		later(fmt.Sprintf("%s.steps[%d].at", path, i), s.At)
	}
	if client.Until != nil {
		later(path+".until", *client.Until)
	}
}
