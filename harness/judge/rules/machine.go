package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

const (
	// heldShare is the share of due requests that must have been begun, over a time in which a client
	// would be missed.
	heldShare = 0.9
	// answerWait is how long after the machine kept a party from running others may feel it: as long as
	// clients wait for an answer.
	answerWait = history.Offset(5 * time.Second)
)

// stretch is a time in which the machine kept somebody from running.
type stretch struct {
	from, until history.Offset
	lost        history.Offset // how much of it
	stopped     history.Offset // the longest that somebody did not run at all
	who         []string
}

// underTheMachine asks, before it blames anybody, whether the machine let the run take place: the load
// as planned, and everybody with time to run. What may follow from a machine that did not becomes
// inconclusive, without a party. What was broken before stays, as does what lasts much longer than the
// machine explains, and what a fault of the run caused. It sees that harness and load were kept from
// running and, by the kernel, that somebody was (see pressed), but not that a single service was: that
// service is blamed.
func (e *judging) underTheMachine(rules []judge.Rule, findings []judge.Finding) ([]judge.Rule, []judge.Finding) {
	if len(e.ofTheMachine()) == 0 {
		return rules, findings
	}
	strained := e.strained()
	told := judge.Rule{ID: "machine", Outcome: judge.Pass, Detail: e.machineKept(strained)}
	why, since := e.notHeld(strained)
	left, out := findings, []judge.Finding(nil)
	advice := "; rehearse again where the machine has room, or with less load: `rehearse doctor --measure` finds the rate that it holds"
	if why != "" {
		left, out = e.leaveOut(findings, func(f judge.Finding) bool { return history.Milliseconds(f.FirstMS) >= since-evidence.Nearly })
	} else {
		pressure, slowed := "", ""
		left, out = e.leaveOut(findings, func(f judge.Finding) bool {
			if e.followsFrom(strained, f) {
				return true
			}
			how := e.underPressure(f)
			explained := how != ""
			if f.RuleID == "sessions" {
				how, explained = e.heldBack(strained, f)
			}
			if explained {
				pressure = cmp.Or(pressure, how)
				return true
			}
			how = e.slowedByTheSpeed(f)
			slowed = cmp.Or(slowed, how)
			return how != ""
		})
		switch kept := total(strained) >= history.Offset(leastStretch)/2; {
		case pressure != "" && judge.HasError(out):
			why, since = pressure+": answers may have been late for that alone", history.Milliseconds(out[0].FirstMS)
		case slowed != "" && judge.HasError(out):
			why, since, advice = slowed, history.Milliseconds(out[0].FirstMS), ""
		case judge.HasError(out), !judge.HasError(findings) && untold(rules) && kept:
			why, since = tellStretches(strained)+e.pressure(), strained[0].from
		default:
			return slices.Insert(rules, 0, told), findings
		}
	}
	told.Outcome, told.Detail = judge.Inconclusive, why+advice
	for i := range rules {
		r := &rules[i]
		of := func(findings []judge.Finding) bool {
			return slices.ContainsFunc(findings, func(f judge.Finding) bool { return f.RuleID == r.ID && f.Level == judge.Error })
		}
		lost := of(out) || since == e.Start || r.Outcome == judge.Inconclusive
		if r.Outcome != judge.Skipped && lost && !of(left) && !slices.Contains(machineBlind, r.ID) {
			r.Outcome, r.Detail = judge.Inconclusive, cmp.Or(e.ofItsOwn(r.ID), "the machine did not keep up, see there")
		}
	}
	return slices.Insert(rules, 0, told), left
}

// machineBlind are the rules that do not depend on the machine.
var machineBlind = []string{"leaks", "logs"}

// untold reports whether rules that rest on measurements are inconclusive.
func untold(rules []judge.Rule) bool {
	return slices.ContainsFunc(rules, func(r judge.Rule) bool {
		return r.Outcome == judge.Inconclusive && !slices.Contains(machineBlind, r.ID)
	})
}

// total is how much was lost in all.
func total(strained []stretch) (lost history.Offset) {
	for _, s := range strained {
		lost += s.lost
	}
	return lost
}

// leaveOut removes the findings that follow from something, and the findings that follow from those
// alone.
func (e *judging) leaveOut(findings []judge.Finding, follows func(judge.Finding) bool) (left, out []judge.Finding) {
	left = []judge.Finding{}
	for _, f := range findings {
		if !slices.Contains(machineBlind, f.RuleID) && f.RuleID != "faults" && !e.byAFault(f) && follows(f) {
			out = append(out, f)
		} else {
			left = append(left, f)
		}
	}
	felt := func(f judge.Finding) bool {
		return f.Level == judge.Error && (f.RuleID == "auth-failures-flat" || f.RuleID == "availability" || f.RuleID == "sessions")
	}
	if !slices.ContainsFunc(out, felt) || slices.ContainsFunc(left, felt) {
		return left, out
	}
	first := slices.MinFunc(out, func(a, b judge.Finding) int { return cmp.Compare(a.FirstMS, b.FirstMS) }).FirstMS
	for i := len(left) - 1; i >= 0; i-- { // the rollback that it caused, and its consequences
		if f := left[i]; (f.RuleID == "rollback" || f.RuleID == "gates" || f.RuleID == "distribution") && f.FirstMS >= first && !e.byAFault(f) {
			left, out = slices.Delete(left, i, i+1), append(out, f)
		}
	}
	return left, out
}

// byAFault reports whether a fault that left evidence, at a party of a finding, caused the finding.
func (e *judging) byAFault(f judge.Finding) bool {
	return slices.ContainsFunc(e.FaultReports(), func(r judge.FaultReport) bool {
		party := r.Target == f.Consumer || r.Target == f.Validator || r.From == f.Consumer || r.To == f.Consumer || r.To == f.Validator
		return r.Took && party && f.CausedBy == r.Kind
	})
}

// ofTheMachine are the events that tell of it.
func (e *judging) ofTheMachine() []history.Event {
	var found []history.Event
	for _, event := range e.Events {
		if event.Kind == history.KindMachine && event.Machine != nil {
			found = append(found, event)
		}
	}
	return found
}

// strained are the stretches in which the machine kept harness or load from running, or load from its
// plan, in order and disjoint.
func (e *judging) strained() []stretch {
	var all []stretch
	for _, event := range e.ofTheMachine() {
		m := event.Machine
		if m.From >= e.End || event.At <= e.Start {
			continue
		}
		s := stretch{from: max(m.From, e.Start), until: min(event.At, e.End), who: []string{m.Who}}
		switch m.What {
		case history.MachineStrained:
			s.lost, s.stopped = min(m.Lost, s.until-s.from), m.Longest
		case history.MachineBehind:
			if m.Full {
				continue // whoever answers was slow
			}
			s.lost = history.Offset(float64(s.until-s.from) * (1 - min(1, float64(m.Sent)/float64(max(1, m.Due)))))
		default:
			continue
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var apart []stretch
	for _, s := range all {
		if n := len(apart); n > 0 && s.from <= apart[n-1].until {
			apart[n-1].join(s)
		} else {
			apart = append(apart, s)
		}
	}
	return apart
}

// join merges two stretches that overlap or meet. Time that both lost counts once.
func (s *stretch) join(o stretch) {
	overlap := max(0, min(s.until, o.until)-o.from)
	s.lost += max(0, o.lost-min(overlap, s.lost))
	s.until, s.stopped = max(s.until, o.until), max(s.stopped, o.stopped)
	s.lost = min(s.lost, s.until-s.from)
	for _, who := range o.who {
		if !slices.Contains(s.who, who) {
			s.who = append(s.who, who)
		}
	}
}

// notHeld says from which moment on nothing can be told: somebody was stopped for as long as a client
// would be missed, or load did not send what was due.
func (e *judging) notHeld(strained []stretch) (why string, since history.Offset) {
	for _, s := range strained {
		if s.stopped >= history.Offset(leastStretch) {
			return fmt.Sprintf("%s did not run for %s, at %s of the run: the machine was stopped, or had no time for it", plan.List(s.who), s.stopped.Wall(), (s.until - s.stopped).Wall()), s.from
		}
	}
	type sum struct {
		due, sent int64
		from      history.Offset
		took      time.Duration
	}
	behind := map[string]*sum{}
	var order []string
	for _, event := range e.ofTheMachine() {
		m := event.Machine
		if m.What != history.MachineBehind || event.At <= e.Start || m.From >= e.End {
			continue
		}
		if m.Full && !slices.ContainsFunc(strained, func(s stretch) bool { return s.from < event.At && s.until > m.From }) {
			continue
		}
		if behind[m.Who] == nil {
			behind[m.Who], order = &sum{from: m.From}, append(order, m.Who)
		}
		b := behind[m.Who]
		b.due, b.sent, b.took = b.due+m.Due, b.sent+m.Sent, b.took+(event.At-m.From).Duration()
	}
	for _, name := range order {
		b := behind[name]
		if b.took < leastStretch || float64(b.sent) >= heldShare*float64(b.due) {
			continue
		}
		return fmt.Sprintf("the load was not held: %s was due to send %d requests within %s and began %d (%.0f%%); this machine held some %.0f a second, and %.0f were due%s",
			name, b.due, b.took.Round(time.Second), b.sent, 100*float64(b.sent)/float64(b.due), float64(b.sent)/b.took.Seconds(), float64(b.due)/b.took.Seconds(), e.pressure()), b.from
	}
	return "", 0
}

// followsFrom reports whether the machine may have caused a finding: it begins while the machine kept
// somebody from running, or while answers to that are still awaited, and does not last much longer than
// the time lost.
func (e *judging) followsFrom(strained []stretch, f judge.Finding) bool {
	first, last := history.Milliseconds(f.FirstMS), history.Milliseconds(f.LastMS)
	near, lost, within := false, history.Offset(0), history.Offset(0)
	for _, s := range strained {
		near = near || s.from-evidence.Nearly <= first && first <= s.until+answerWait
		if s.until+answerWait >= first && s.from <= last {
			lost += s.lost
			within += min(s.until, last) - max(s.from, min(first, s.until))
		}
	}
	if !near {
		return false
	}
	lasts := last - first
	if f.RuleID == "auth-failures-flat" || f.RuleID == "revocation" {
		return lasts <= 2*lost // it was late by no more than that
	}
	return lasts-within <= max(answerWait+evidence.Nearly, within)
}

// tellStretches says whom the machine kept from running, and when.
func tellStretches(strained []stretch) string {
	var who []string
	worst := strained[0]
	for _, s := range strained {
		for _, w := range s.who {
			if !slices.Contains(who, w) {
				who = append(who, w)
			}
		}
		if s.lost > worst.lost {
			worst = s
		}
	}
	return fmt.Sprintf("the machine kept %s from running for %s in all, %s of it from %s to %s of the run: what was not answered, or late, may come of that alone",
		plan.List(who), total(strained).Wall(), worst.lost.Wall(), worst.from.Wall(), worst.until.Wall())
}

// pressure is the half sentence about what the kernel says of the whole run.
func (e *judging) pressure() string {
	for _, event := range e.ofTheMachine() {
		m := event.Machine
		if m.What != history.MachineSum || m.Shares == nil {
			continue
		}
		var said []string
		for _, p := range []struct{ what, words string }{
			{"cpu", "somebody waited for a processor %.0f%% of the time"},
			{"memory", "somebody waited for memory %.0f%% of the time"},
			{"throttled", "a limit kept it from running %.0f%% of the time"},
			{"steal", "the hypervisor gave %.0f%% of the processors to others"},
		} {
			if share := m.Shares[p.what]; share >= 0.1 {
				said = append(said, fmt.Sprintf(p.words, 100*share))
			}
		}
		if len(said) > 0 {
			return " (" + strings.Join(said, ", ") + ")"
		}
	}
	return ""
}

// machineKept says how well the machine kept up.
func (e *judging) machineKept(strained []stretch) string {
	said := "harness and load ran when they were due"
	if len(strained) > 0 {
		said = fmt.Sprintf("harness or load did not run for %s in all, and nothing comes of that", total(strained).Wall())
	}
	for _, event := range e.ofTheMachine() {
		if m := event.Machine; m.What == history.MachineSum && m.Due > 0 {
			said += fmt.Sprintf("; %d of %d requests that were due were begun", m.Sent, m.Due)
		}
	}
	return said + e.pressure()
}
