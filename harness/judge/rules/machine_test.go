package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// strained is a stretch, in seconds, in which somebody was kept from running.
func strained(who string, from, until, longest, lost float64) change {
	return add(history.Event{At: at(until), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineStrained, Who: who, From: at(from), Longest: at(longest), Lost: at(lost),
	}})
}

// behind is a stretch in which a client sent fewer than were due.
func behind(client string, from, until float64, due, sent int64, full bool) change {
	return add(history.Event{At: at(until), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineBehind, Who: client, From: at(from), Due: due, Sent: sent, Full: full,
	}})
}

// kernel is what is said at the end.
func kernel(longest float64, shares map[string]float64) change {
	return add(history.Event{At: at(61), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineSum, Who: history.TheHarness, Longest: at(longest), Shares: shares,
	}})
}

// late is a time in which no answer to app came in time.
func late(from, until float64) change { return instead("app", "", "timeout", from, until, 1000) }

// pressedFrom is what the kernel says from a moment on.
func pressedFrom(from float64, shares map[string]float64) change {
	return add(history.Event{At: at(from + 1), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachinePressure, From: at(from), Shares: shares,
	}})
}

// paused is a fault of the run itself, with its evidence.
func paused(target string, from, until float64) change {
	return add(fault(at(from), "pause", target, history.FaultInjected, false), fault(at(from+0.5), "pause", target, history.FaultEvidence, true),
		fault(at(until), "pause", target, history.FaultUndone, false))
}

// TestTheMachineIsAskedFirst holds who is blamed where the machine did not keep up,
// and where it did: each stretch has a twin that explains nothing.
func TestTheMachineIsAskedFirst(t *testing.T) {
	t.Parallel()
	load, harness := history.TheLoad, history.TheHarness
	quiet := kernel(0.04, map[string]float64{"cpu": 0.2})
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
		names   string // who is named by errors; "": nobody
	}{
		{"it kept up", []change{quiet}, judge.Pass, "stayed flat", ""},
		{"it kept up, and a service is down", []change{quiet, unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"it kept up, and a key is refused", []change{quiet, refuse("app", "k2", 28.4, 40, 10)}, judge.Fail, "app was refused", "search"},

		// The whole run was stopped.
		{"stopped", []change{strained(harness, 44, 51.2, 7, 7.1), strained(load, 44, 51.2, 7, 7.1)}, judge.Inconclusive, "cannot tell (machine): the harness and the load did not run for 7s, at 44.2s", ""},
		{"stopped, and nobody answered", []change{strained(harness, 44, 51.2, 7, 7.1), unavailable("app", 44.5, 56)}, judge.Inconclusive, "the harness did not run for 7s", ""},
		{"stopped, and refused since", []change{strained(load, 26, 34, 7, 7.1), refuse("app", "k2", 28.4, 40, 10)}, judge.Inconclusive, "the load did not run for 7s", ""},
		{"refused before it was stopped", []change{strained(load, 44, 51.2, 7, 7.1), refuse("app", "k2", 28.4, 40, 10)}, judge.Fail, "app was refused", "search"},
		{"stopped after the end", []change{strained(load, 60.6, 68, 7, 7.1), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"stopped before the baseline", []change{strained(load, -9, -1, 7, 7.1), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"stopped while a service was paused", []change{strained(load, 30, 38, 7, 7.1), paused("search", 44, 56), unavailable("app", 44.5, 56)}, judge.Fail, "fault pause", "search"},

		// More was due than the machine can send.
		{"overloaded", []change{behind("app", 0, 61, 305000, 77000, false), unavailable("app", 3, 61), unavailable("web", 3, 61)}, judge.Inconclusive,
			"the load was not held: app was due to send 305000 requests within 1m1s and began 77000 (25%); this machine held some 1262 a second, and 5000 were due", ""},
		{"a little late", []change{behind("app", 30, 32, 200, 150, false), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"late, since nobody answers", []change{behind("app", 45, 61, 80000, 20000, true), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"late, since nobody has time", []change{behind("app", 45, 61, 80000, 20000, true), strained(load, 45, 61, 0.4, 9), unavailable("app", 45, 61)}, judge.Inconclusive, "the load was not held", ""},

		// Nobody was stopped for long, and nobody had much time.
		{"starved, and nobody is hurt", []change{strained(load, 20, 50, 0.1, 25)}, judge.Pass, "stayed flat", ""},
		{"starved", []change{strained(load, 20, 61, 0.1, 35), kernel(0.1, map[string]float64{"throttled": 0.82, "cpu": 0.04}), unavailable("app", 40, 58)}, judge.Inconclusive,
			"kept the load from running for 35s in all, 35s of it from 20s to 1m0.5s of the run: what was not answered, or late, may come of that alone (a limit kept it from running 82% of the time)", ""},
		{"starved, and refused for as long", []change{strained(harness, 20, 61, 0.1, 30), refuse("app", "k2", 28.4, 40, 10)}, judge.Inconclusive, "kept the harness from running", ""},
		{"a second's stall, and refused for long", []change{strained(harness, 28, 29.1, 0.7, 0.7), refuse("app", "k2", 28.4, 40, 10)}, judge.Fail, "app was refused", "search"},
		{"a second's stall, and down for long", []change{strained(harness, 44, 45.1, 0.7, 0.7), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"a second's stall, and down for as long", []change{strained(harness, 44, 45.1, 0.7, 0.7), unavailable("app", 45, 47)}, judge.Inconclusive, "kept the harness from running", ""},
		{"a second's stall long before", []change{strained(harness, 20, 21.1, 0.7, 0.7), unavailable("app", 45, 47)}, judge.Fail, "app got no good answer", "search"},

		// Harness and load had their time, and others may not have had it.
		{"pressed, and answers are late", []change{pressedFrom(40, map[string]float64{"cpu": 0.8}), late(45, 50)}, judge.Inconclusive,
			"somebody waited for a processor 80% of the time from 45s to 50s of the run: answers may have been late for that alone", ""},
		{"pressed for half of it", []change{pressedFrom(40, map[string]float64{"cpu": 0.8}), pressedFrom(47, map[string]float64{"cpu": 0.3}), late(45, 50)}, judge.Fail, "app got no good answer", "search"},
		{"pressed before", []change{pressedFrom(20, map[string]float64{"cpu": 0.8}), pressedFrom(40, map[string]float64{"cpu": 0.3}), late(45, 50)}, judge.Fail, "app got no good answer", "search"},
		{"pressed for the disk", []change{pressedFrom(40, map[string]float64{"cpu": 0.1, "io": 0.6}), late(45, 50)}, judge.Inconclusive, "somebody waited for a disk 60% of the time", ""},
		{"pressed, and a service is down", []change{pressedFrom(20, map[string]float64{"cpu": 0.8}), unavailable("app", 45, 61)}, judge.Fail, "app got no good answer", "search"},
		{"pressed, and a key is refused", []change{pressedFrom(20, map[string]float64{"cpu": 0.8}), refuse("app", "k2", 28.4, 40, 10)}, judge.Fail, "app was refused", "search"},
		{"pressed, and a service was paused", []change{pressedFrom(40, map[string]float64{"cpu": 0.8}), paused("search", 44, 56), late(44.5, 56)}, judge.Fail, "fault pause", "search"},
		{"starved, and a service was paused", []change{strained(load, 20, 61, 0.1, 35), paused("search", 44, 56), unavailable("app", 44.5, 56)}, judge.Fail, "fault pause", "search"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			if v.Verdict != tt.want || !strings.Contains(v.Why, tt.says) {
				t.Errorf("got %s, %q, want %s with %q", v.Verdict, v.Why, tt.want, tt.says)
			}
			for _, f := range v.Findings {
				switch {
				case f.Level == judge.Error && tt.names == "", f.Consumer != "" && f.Consumer != tt.names:
					t.Errorf("got %s, want nobody named but %q", text(f), tt.names)
				}
			}
			wantRule(t, v, "leaks", judge.Pass)
			if tt.want == judge.Inconclusive {
				wantRule(t, v, "machine", judge.Inconclusive)
				if v.Rules[0].ID != "machine" || !strings.Contains(v.Rules[0].Detail, "doctor --measure") {
					t.Errorf("the first rule: got %+v, want the machine, with what to do", v.Rules[0])
				}
			}
		})
	}
}

// TestAHistoryWithoutMachine has no such rule: nothing is known of it.
func TestAHistoryWithoutMachine(t *testing.T) {
	t.Parallel()
	for _, r := range judged(t).Rules {
		if r.ID == "machine" {
			t.Errorf("got %+v, want no rule", r)
		}
	}
}
