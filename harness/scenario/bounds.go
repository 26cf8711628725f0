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
