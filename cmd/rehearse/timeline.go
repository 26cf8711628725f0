package main

import (
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// timelineWidth is the width of a drawn run, in characters.
const timelineWidth = 40

// timeline draws phases below each other, each where it lies in the run. Of a
// phase that a bound asks a length of it shows what is planned and what is needed:
//
//	████████      planned, and as much is needed
//	█████│██      planned, needed up to the mark
//	███░░░░░      planned, and so much more is needed
//	███░░░░→      and no time is enough
type timeline struct {
	total  time.Duration                   // page time of the whole drawing
	needed map[history.Phase]time.Duration // the most that any bound asks
}

func timelineOf(p *plan.Plan, stretches []plan.Stretch) timeline {
	phases := map[string]history.Phase{"G1": history.Verify, "G2": history.Overlap, "G3": history.Watch}
	t := timeline{needed: map[history.Phase]time.Duration{}}
	for _, b := range p.Limits.Bounds() {
		t.needed[phases[b.Rule]] = max(t.needed[phases[b.Rule]], b.Needed)
	}
	for _, s := range stretches {
		t.total = max(t.total, s.PageStart+s.PageLength)
		if needed := t.needed[s.Phase]; needed != runbook.Forever {
			t.total = max(t.total, s.PageStart+needed)
		}
	}
	return t
}

// column is where a moment of page time is drawn.
func (t timeline) column(at time.Duration) int {
	if t.total <= 0 {
		return 0
	}
	return int(int64(timelineWidth) * int64(at/time.Millisecond) / int64(t.total/time.Millisecond+1))
}

// row draws one phase, at least one character wide where it has any length.
func (t timeline) row(s plan.Stretch) string {
	from, to := t.column(s.PageStart), t.column(s.PageStart+s.PageLength)
	bar := "╵" // a phase that only acts
	if s.PageLength > 0 {
		bar = strings.Repeat("█", max(1, to-from))
	}
	switch needed := t.needed[s.Phase]; {
	case needed == runbook.Forever:
		bar += strings.Repeat("░", max(0, timelineWidth-1-to)) + "→"
	case needed > s.PageLength:
		bar += strings.Repeat("░", max(1, t.column(s.PageStart+needed)-to))
	case needed > 0:
		cells := []rune(bar)
		if at := t.column(s.PageStart+needed) - from; at < len(cells)-1 {
			cells[at] = '│'
		}
		bar = string(cells)
	}
	return strings.Repeat(" ", from) + bar
}
