// Package machine measures whether the machine lets a process do what is due:
// by how much its own ticks are late, and what the kernel says of processors and
// memory. A process that is stopped, starved or throttled cannot tell slow
// services from a slow self: whoever judges what it saw has to know.
package machine

import (
	"context"
	"time"
)

const (
	// Every is how far apart ticks are due.
	Every = 20 * time.Millisecond
	// window is the least time that is judged at once. It ends with the first tick
	// after that, however late that is.
	window = time.Second
	// starved is the share of a window by which its ticks are late together from
	// which a process does not have its time. A process that is throttled to 8 % of
	// a processor loses some 0.8 of it, one beside 18 others on its processor that
	// never sleep some 0.5, one on a machine that is merely busy some 0.1.
	starved = 0.3
	// stalled is how late one tick must be for its window to count, whatever the
	// others were: half a second is what a client may well call a time-out.
	stalled = 500 * time.Millisecond
	// longest is how much of a stretch is told at once, while it goes on.
	longest = 10 * time.Second
)

// Strain is a stretch of time in which a process did not have the time that it
// needed. Moments are on the clock of the Meter.
type Strain struct {
	From, Until time.Duration
	Longest     time.Duration // by which one tick was late
	Lost        time.Duration // by which all were, together
}

// Meter finds the strains in the moments of ticks.
type Meter struct {
	began, last   time.Duration
	started       bool
	late, lost    time.Duration // of the present window
	strain        *Strain       // that goes on
	longest, gone time.Duration // of all windows
	over          time.Duration
}

// Tick takes the moment of a tick, and returns the strain that ended before it or
// has lasted for long; nil: there is none to tell.
func (m *Meter) Tick(at time.Duration) *Strain {
	if !m.started {
		m.started, m.began, m.last = true, at, at
		return nil
	}
	late := max(0, at-m.last-Every)
	m.last = at
	m.late, m.lost = max(m.late, late), m.lost+late
	m.longest, m.gone = max(m.longest, late), m.gone+late
	if at-m.began < window {
		return nil
	}
	return m.close(at)
}

// close judges a window.
func (m *Meter) close(at time.Duration) *Strain {
	from, late, lost := m.began, m.late, m.lost
	m.over += at - from
	m.began, m.late, m.lost = at, 0, 0
	if late < stalled && float64(lost) < starved*float64(at-from) {
		return m.End()
	}
	if m.strain == nil {
		m.strain = &Strain{From: from}
	}
	m.strain.Until, m.strain.Longest, m.strain.Lost = at, max(m.strain.Longest, late), m.strain.Lost+lost
	if m.strain.Until-m.strain.From >= longest {
		return m.End()
	}
	return nil
}

// End returns the strain that goes on; nil: there is none.
func (m *Meter) End() *Strain {
	ended := m.strain
	m.strain = nil
	return ended
}

// Sum is what all ticks so far say: the longest by which one was late, and the
// share of the time by which all were.
func (m *Meter) Sum() (longest time.Duration, share float64) {
	if m.over == 0 {
		return m.longest, 0
	}
	return m.longest, float64(m.gone) / float64(m.over)
}

// Watch ticks until the context ends, by a clock that tells what has passed
// since some moment and that nobody sets. It tells of each strain when that has
// ended, or has lasted for ten seconds, and calls each with every tick.
func Watch(ctx context.Context, passed func() time.Duration, tell func(Strain), each func(at time.Duration)) *Meter {
	m := &Meter{}
	timer := time.NewTimer(Every)
	defer timer.Stop()
	say := func(s *Strain) {
		if s != nil {
			tell(*s)
		}
	}
	m.Tick(passed())
	for {
		select {
		case <-ctx.Done():
			say(m.End())
			return m
		case <-timer.C:
		}
		at := passed()
		say(m.Tick(at))
		each(at)
		timer.Reset(Every)
	}
}
