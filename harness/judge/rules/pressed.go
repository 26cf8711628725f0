package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// pressed is the pressure (the kernel's PSI, "some") from which a time-out says nothing of the party
// that was asked. Harness and load may have run undisturbed: they need little, and a fair scheduler
// gives it to them, while a database that starts a process for each connection waits. One rehearsal
// alone on two processors has a pressure of some 0.3, four beside each other 0.8.
var pressed = []struct {
	what  string
	share float64
	words string
}{
	{"cpu", 0.6, "somebody waited for a processor"},
	{"memory", 0.2, "somebody waited for memory"},
	{"io", 0.5, "somebody waited for a disk"},
}

// underPressure tells the machine's pressure while answers were late, where lateness is all that is
// known against a party; "" where there was none, or more is known: a refusal, a reset or an error is
// no matter of time.
func (e *judging) underPressure(f judge.Finding) (how string) {
	if f.RuleID != "availability" || f.Cause != judge.CauseTimedOut && f.Cause != judge.CauseServiceDown {
		return ""
	}
	from, until := history.Milliseconds(f.FirstMS), max(history.Milliseconds(f.LastMS), history.Milliseconds(f.FirstMS)+1)
	sum, _, _ := e.Lost(f.Presenter, f.Validator, from, until)
	if late := sum.Statuses[unanswered.StatusTimeout]; late == 0 || 2*late < sum.Unavailable {
		return ""
	}
	return e.waited(from, until)
}

// waited names what somebody waited for most of a time, by the kernel; "": nothing.
func (e *judging) waited(from, until history.Offset) string {
	for _, p := range pressed {
		if share := e.shareOf(p.what, from, until); share >= p.share {
			return fmt.Sprintf("%s %.0f%% of the time from %s to %s of the run", p.words, 100*share, from.Wall(), until.Wall())
		}
	}
	return ""
}

// heldBack reports whether the machine explains each failed renewal of tokens by itself: attempts held
// back now and minutes later say nothing of the time between. how tells the kernel's figures where
// harness and load had their time; what stays unexplained is inside the objective.
func (e *judging) heldBack(strained []stretch, f judge.Finding) (how string, explained bool) {
	var late, left int64
	for _, event := range e.Events {
		if event.Kind != history.KindSession || event.Service != f.Presenter {
			continue
		}
		n := max(1, event.Count)
		late += n
		if slices.ContainsFunc(strained, func(s stretch) bool {
			return s.from-evidence.Nearly <= event.At && event.At <= s.until+answerWait
		}) {
			continue
		}
		if said := e.waited(max(0, event.At-answerWait), event.At+1); said != "" {
			how = said
		} else {
			left += n
		}
	}
	return how, late > left && e.heldInside(f.Presenter, left)
}

// shareOf is the mean of a pressure in [from, until). A value is recorded when it changes, and holds
// until the next.
func (e *judging) shareOf(what string, from, until history.Offset) float64 {
	var waited float64
	var share float64
	at := from
	upTo := func(next history.Offset) {
		if next = min(next, until); next > at {
			waited, at = waited+share*(next-at).Duration().Seconds(), next
		}
	}
	for _, event := range e.ofTheMachine() {
		if m := event.Machine; m.What == history.MachinePressure {
			upTo(m.From)
			share = m.Shares[what]
		}
	}
	upTo(until)
	return waited / max((until-from).Duration(), time.Nanosecond).Seconds()
}
