package rules

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// ofShards are the events that tell of the processes that send the load.
func (e *judging) ofShards(what string) (found []history.Event) {
	for _, event := range e.Events {
		if event.Kind == history.KindShard && event.Shard != nil && event.Shard.What == what {
			found = append(found, event)
		}
	}
	return found
}

// lostShards says which parts of the load were lost, and what is missing since; "": none.
func (e *judging) lostShards() string {
	var said []string
	for _, event := range e.ofShards(history.ShardLost) {
		s := event.Shard
		who := cmp.Or(event.Replica, event.Service)
		if s.Of > 1 {
			who += fmt.Sprintf(", one of the %d processes that send the load,", s.Of)
		}
		since := "the beginning"
		if s.Since > 0 {
			since = e.Moment(s.Since)
		}
		text := fmt.Sprintf("%s was lost: its %.4g requests a second are not in the history from %s on", who, s.Rate, since)
		if event.Detail != "" {
			text += " (" + event.Detail + ")"
		}
		said = append(said, text)
	}
	return strings.Join(said, "; ")
}

// clocksApart names the clocks that differ so much from the harness's that their counts cannot be
// ordered with what others saw; "": none.
func (e *judging) clocksApart() string {
	for _, event := range e.ofShards(history.ShardClock) {
		if s := event.Shard; s.Apart() {
			where := "ahead of"
			if s.Ahead < 0 {
				where = "behind"
			}
			return fmt.Sprintf("the clock of %s is %s %s the harness's (give or take %s), and counts of different clocks cannot be put in order: keep the clocks of all machines within %s of each other, as by NTP",
				cmp.Or(event.Replica, event.Service), max(s.Ahead, -s.Ahead).Wall(), where, fine(s.Within), history.MostApart.Wall())
		}
	}
	return ""
}

// shared says how well the clocks of the load's processes agree.
func (e *judging) shared() string {
	var of int
	var most history.Offset
	for _, event := range e.ofShards(history.ShardClock) {
		s := event.Shard
		of, most = s.Of, max(most, max(s.Ahead, -s.Ahead)+s.Within)
	}
	if of < 2 {
		return ""
	}
	return fmt.Sprintf("; sent by %d processes, whose clocks were within %s of the harness's at the start and the end", of, fine(most))
}

// fine writes a short time with fractions of a millisecond.
func fine(o history.Offset) string { return o.Duration().Round(10 * time.Microsecond).String() }

// ofItsOwn is why a rule is inconclusive whatever the machine did: a lost part of the load; "" where
// there is none.
func (e *judging) ofItsOwn(rule string) string {
	if rule == "accounting" {
		return e.lostShards()
	}
	return ""
}
