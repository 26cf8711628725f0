package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// ofShard adds what became known of one of four processes that send the load.
func ofShard(seconds float64, replica string, s history.Shard) change {
	s.Of = 4
	return add(history.Event{At: at(seconds), Kind: history.KindShard, Service: "load", Replica: replica, Shard: &s, Detail: map[bool]string{true: "signal: killed"}[s.What == history.ShardLost]})
}

// TestShards: nothing is told of a load of which a part was lost, or was counted by
// another clock; clocks that agree are named in what is told.
func TestShards(t *testing.T) {
	t.Parallel()
	clock := func(ahead, within float64) history.Shard {
		return history.Shard{What: history.ShardClock, Ahead: at(ahead), Within: at(within)}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"clocks agree", []change{ofShard(0.1, "load-1", clock(0.0002, 0.0001)), ofShard(0.1, "load-2", clock(-0.0004, 0.0001))}, judge.Pass, "sent by 4 processes, whose clocks were within 500µs"},
		{"a clock is ahead", []change{ofShard(0.1, "load-1", clock(0.0002, 0.0001)), ofShard(50, "load-2", clock(0.4, 0.01))}, judge.Inconclusive, "the clock of load-2 is 400ms ahead of the harness's"},
		{"a clock is behind", []change{ofShard(0.1, "load-3", clock(-2, 0.01))}, judge.Inconclusive, "the clock of load-3 is 2s behind the harness's"},
		{"a slow answer proves nothing", []change{ofShard(0.1, "load-3", clock(0.3, 0.25))}, judge.Pass, "sent by 4 processes"},
		{"one was lost", []change{ofShard(45, "load-2", history.Shard{What: history.ShardLost, Rate: 25, Since: at(44.9)})}, judge.Inconclusive,
			"load-2, one of the 4 processes that send the load, was lost: its 25 requests a second are not in the history from 44m54s on (signal: killed)"},
		{"one stood still, and was lost", []change{noTotals, ofShard(45, "load-2", history.Shard{What: history.ShardLost, Rate: 25, Since: at(30)}),
			add(history.Event{At: at(41), Kind: history.KindMachine, Machine: &history.Machine{What: history.MachineStrained, Who: "load-2", From: at(30), Longest: at(11), Lost: at(11)}})},
			judge.Inconclusive, "load-2, one of the 4 processes that send the load, was lost: its 25 requests a second are not in the history from 30m on"},
		{"one was lost, and there are no totals", []change{noTotals, ofShard(45, "load-2", history.Shard{What: history.ShardLost, Rate: 25})}, judge.Inconclusive, "from the beginning on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "accounting", tt.want)
			if got := rule(t, v, "accounting").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
			if v.Verdict != tt.want {
				t.Errorf("got verdict %s, want %s", v.Verdict, tt.want)
			}
		})
	}
}
