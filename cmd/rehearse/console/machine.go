package console

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports"
)

// longStop is how long somebody is kept from running where that is worth a line.
const longStop = history.Offset(2 * time.Second)

// tellMachine prints what the machine kept the run from, where that was long: what
// it is like otherwise is in the report.
func (c *Console) tellMachine(e history.Event) {
	m := e.Machine
	switch {
	case m == nil:
	case m.What == history.MachineStrained && m.Longest >= longStop:
		c.say(e.At, warn, "the machine did not let %s run for %s: no service is blamed for what comes of that", m.Who, m.Longest.Wall())
	case m.What == history.MachineBehind && !m.Full:
		c.say(e.At, warn, "%s sent %s of %s requests that were due within %s: the load is not held", m.Who,
			reports.Count(m.Sent), reports.Count(m.Due), (e.At - m.From).Duration().Round(time.Second))
	default:
		c.detail(e.At, "the machine: %s", m.What)
	}
}
