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

// bounds keeps a scenario from starting what no machine carries, before it is
// found out by a machine that carries nothing else any more.
func (c check) bounds() {
	if n := len(c.s.Services); n > MostServices {
		c.Report("services", "rehearse those that use the secret", "has %d services, the most is %d", n, MostServices)
	}
	if n := len(c.s.Load); n > MostClients {
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
