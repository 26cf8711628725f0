package reports

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// PageAndWall writes a length of wall time as page time, with the wall time in brackets where they
// differ: "14m50s (14.8s)". A speed that is not positive counts as 1.
func PageAndWall(speed float64, wall time.Duration) string {
	if speed <= 0 || speed == 1 {
		return plan.Text(wall)
	}
	return fmt.Sprintf("%s (%s)", PageTime(speed, wall), plan.Text(wall))
}

// PageTime writes a length of wall time as page time: "14m50s". A speed that is not positive counts as
// 1.
func PageTime(speed float64, wall time.Duration) string {
	return plan.Text(pageTime(speed, history.Offset(wall)))
}

// pageTime turns wall time into page time; a speed that is not positive counts as 1.
func pageTime(speed float64, wall history.Offset) time.Duration {
	if speed <= 0 {
		speed = 1
	}
	return time.Duration(float64(wall) * speed)
}

// Clock tells the moments of a run.
type Clock struct {
	Speed float64
	// Zero is where page time begins: with the baseline, as in the timeline of a plan. Starting
	// services takes equally long at any speed.
	Zero history.Offset
	// Held are the times, in order, in which the rotation waited for a person and page time stood
	// still.
	Held []history.Gap
}

// NewClock is the clock of a run. At speed 1 page time and wall time are the same,
// and count from the start of the run.
func NewClock(speed float64, v judge.Verdict) Clock {
	if len(v.Phases) == 0 || speed <= 0 || speed == 1 {
		return Clock{Speed: speed}
	}
	c := Clock{Speed: speed, Zero: history.Milliseconds(v.Phases[0].StartMS)}
	for _, a := range v.Operator {
		if a.WaitedMS > 0 {
			c.Held = append(c.Held, history.Gap{From: history.Milliseconds(a.AtMS - a.WaitedMS), To: history.Milliseconds(a.AtMS)})
		}
	}
	return c
}

// page is a moment in page time.
func (c Clock) page(at history.Offset) time.Duration {
	passed := at - c.Zero
	for _, held := range c.Held {
		passed -= max(0, min(held.To, at)-max(held.From, c.Zero))
	}
	return pageTime(c.Speed, passed)
}

// wall is the moment of a page time.
func (c Clock) wall(page time.Duration) history.Offset {
	speed := c.Speed
	if speed <= 0 {
		speed = 1
	}
	at := c.Zero + history.Offset(float64(page)/speed)
	for _, held := range c.Held {
		if length := held.To - max(held.From, c.Zero); length > 0 && held.From < at {
			at += length
		}
	}
	return at
}

// Page writes a moment in page time, "14m50s"; before the baseline it is the start.
func (c Clock) Page(at history.Offset) string {
	if at < c.Zero {
		return "the start"
	}
	return plan.Text(c.page(at))
}

// Moment writes a moment in page time, with wall time since the start of the run in brackets where they
// differ: "14m50s (15.1s)".
func (c Clock) Moment(at history.Offset) string {
	if c.Speed <= 0 || c.Speed == 1 {
		return plan.Text(at.Duration())
	}
	return fmt.Sprintf("%s (%s)", c.Page(at), plan.Text(at.Duration()))
}

// clock is that of the run.
func (m *Model) clock() Clock { return NewClock(m.Speed, m.Verdict) }

// moment is an offset in milliseconds as a Clock tells it.
func (m *Model) moment(ms int64) string { return m.clock().Moment(history.Milliseconds(ms)) }

// time is a length of wall time in milliseconds as PageAndWall tells it.
func (m *Model) time(ms int64) string {
	return PageAndWall(m.Speed, history.Milliseconds(ms).Duration())
}
