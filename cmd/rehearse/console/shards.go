package console

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// tellShard tells of a process that sends a part of the load: a clock that agrees is a
// detail, all else is trouble.
func (c *Console) tellShard(e history.Event) {
	s, who := e.Shard, cmp.Or(e.Replica, e.Service)
	switch {
	case s == nil:
	case s.What == history.ShardLost:
		c.say(e.At, bad, "%s was lost, with %.4g requests a second: nothing of it is counted from here on: %s", who, s.Rate, e.Detail)
	case s.Apart():
		c.say(e.At, bad, "the clock of %s is %s off the harness's, and at most %s is allowed", who, s.Ahead.Wall(), history.MostApart.Wall())
	default:
		c.detail(e.At, "the clock of %s is %s off the harness's, give or take %s", who, s.Ahead.Duration(), s.Within.Duration())
	}
}
