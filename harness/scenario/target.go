package scenario

import (
	"fmt"
	"math"
	"slices"
)

// Target is one of several services, or requests, that a client calls.
type Target struct {
	To       string  `yaml:"to" json:"to"`                                 // the service that it calls
	Endpoint string  `yaml:"endpoint,omitempty" json:"endpoint,omitempty"` // the receiver to which a sender delivers what it is told
	Request  Request `yaml:"request,omitempty" json:"request,omitempty"`
	// Share is how much of the client's rate and sessions it gets beside the other targets,
	// as 3 of 3 and 1; default 1.
	Share float64 `yaml:"share,omitempty" json:"share,omitempty"`
}

// Each are the clients that a client with several targets comes to, one for each, in order: of
// client web that to checkout is web-checkout, and a second one there web-checkout-2. Each has
// its share of the rate, and sessions of its own. A client with one target is itself.
func (c Client) Each() []Client {
	if len(c.Targets) == 0 {
		return []Client{c}
	}
	sum, times := 0.0, map[string]int{}
	for _, t := range c.Targets {
		sum += t.share()
	}
	var all []Client
	for _, t := range c.Targets {
		one, part := c, t.share()/sum
		one.Targets = nil
		one.To, one.Endpoint, one.Request = t.To, t.Endpoint, t.Request
		one.Client = c.Client + "-" + t.To
		if times[t.To]++; times[t.To] > 1 {
			one.Client = fmt.Sprintf("%s-%d", one.Client, times[t.To])
		}
		one.Rate *= Rate(part)
		one.Steps = slices.Clone(c.Steps)
		for i := range one.Steps {
			one.Steps[i].Rate *= Rate(part)
		}
		if c.Sessions > 0 {
			one.Sessions = int(math.Ceil(float64(c.Sessions) * part))
		}
		all = append(all, one)
	}
	return all
}

func (t Target) share() float64 {
	if t.Share == 0 {
		return 1
	}
	return t.Share
}

// Spread are all clients of a scenario, of those with several targets one for each.
func (s Scenario) Spread() []Client {
	var all []Client
	for _, c := range s.Load {
		all = append(all, c.Each()...)
	}
	return all
}

// targets holds what a client says of several targets against what else it says.
func (c check) targets(path string, client Client) {
	if !c.Has(path + ".targets") {
		if client.To == "" && !c.Has(path+".to") {
			c.Report(path, "to: SERVICE, or several: targets: [{to: SERVICE}]", "does not say which service it calls")
		}
		return
	}
	if len(client.Targets) == 0 {
		c.Report(path+".targets", "targets: [{to: SERVICE}]", "has none")
	}
	c.misplaced(path, "is said by each of targets", "to", "endpoint", "request")
	for i, t := range client.Targets {
		if at := fmt.Sprintf("%s.targets[%d].share", path, i); c.Has(at) && !(t.Share > 0 && t.Share <= mostShare) {
			c.Report(at, "1 without it", "is %g, want more than 0 and at most %d", t.Share, mostShare)
		}
	}
}

// mostShare bounds how much more one target is called than another.
const mostShare = 1_000_000
