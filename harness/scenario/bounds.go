package scenario

import "fmt"

// The most that one machine is asked to run at a time. A service is a process or
// a container, and each session has a token of its own, fetched within half a
// minute at the start.
const (
	MostServices = 200
	MostClients  = 200
	MostSessions = 100_000 // of all clients together
)

// The most that can be simulated of one service or client, and the most requests in a second
// that all of one make.
const (
	MostAlike = 10_000_000
	MostRate  = 1_000_000
)

// alike holds how many there are of something against those that can be, and against where.
func (c check) alike(path string, count int) {
	switch {
	case !c.Has(path + ".count"):
	case count < 1 || count > MostAlike:
		c.Report(path+".count", "1 without it", "is %d, want 1 to %d", count, MostAlike)
	case count > 1 && c.s.Attach != nil:
		c.Report(path+".count", "leave it out", "more than one alike can be simulated only, and this scenario attaches to what runs")
	}
}

// counted are the stand-ins of which there can be many alike.
var counted = []string{"cache", "checker", "receiver", "verifier"}

// MostBatches is in how many parts a service can be rolled out.
const MostBatches = 1000

// DefaultBatches is in how many parts it is where nothing says so.
const DefaultBatches = 10

// rollout holds how long a service takes to be rolled out, and in how many parts.
func (c check) rollout(path string, s Service) {
	if c.Has(path+".rollout") && s.Rollout <= 0 {
		c.Report(path+".rollout", "rollout: 10m; at once without it", "must be more than 0")
	}
	switch {
	case !c.Has(path + ".batches"):
	case s.Rollout <= 0:
		c.Report(path+".batches", "rollout: 10m", "says in how many parts it is rolled out, and nothing says how long that takes")
	case s.Batches < 1 || s.Batches > MostBatches:
		c.Report(path+".batches", fmt.Sprintf("%d without it", DefaultBatches), "is %d, want 1 to %d", s.Batches, MostBatches)
	}
}

// bounds keeps a scenario from starting what no machine carries, before it is
// found out by a machine that carries nothing else any more.
func (c check) bounds() {
	if n := len(c.s.Services); n > MostServices {
		c.Report("services", "rehearse those that use the secret", "has %d services, the most is %d", n, MostServices)
	}
	if n := len(c.s.Spread()); n > MostClients {
		c.Report("load", "a client has many sessions", "has %d clients, the most is %d", n, MostClients)
	}
	sessions := 0
	for i, client := range c.s.Load {
		held := sessions <= MostSessions
		sessions = min(sessions, MostSessions+1) + min(max(client.Sessions, 0), MostSessions+1) // cannot overflow
		if held && sessions > MostSessions {                                                    // once, where the sum goes beyond
			c.Report(fmt.Sprintf("load[%d].sessions", i), "", "is %d, and all clients together have at most %d", client.Sessions, MostSessions)
		}
	}
}
