package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/machine"
)

// Strain is a stretch in which this process did not have the time that it needed,
// as machine.Strain has it; moments are microseconds since the Unix epoch.
type Strain struct {
	From    int64 `json:"from"`
	Until   int64 `json:"until"`
	Longest int64 `json:"longest_us"`
	Lost    int64 `json:"lost_us"`
}

// Behind is a stretch in which a client sent fewer requests than were due.
type Behind struct {
	Client string `json:"client"`
	From   int64  `json:"from"`
	Until  int64  `json:"until"`
	Due    int64  `json:"due"`
	Sent   int64  `json:"sent"`
	// Full says that as many waited for an answer as may: whoever answers was slow,
	// and it need not be this process.
	Full bool `json:"full,omitempty"`
}

const (
	// lookAtPace is how often due is held against sent.
	lookAtPace = time.Second
	// behindBy is how late a client's requests must be for it to be behind, and
	// behindLeast how many of them.
	behindBy    = 500 * time.Millisecond
	behindLeast = 5
	// behindFor is how much of a stretch is told at once, while it goes on.
	behindFor = 10 * time.Second
)

// pace is what of a client's requests was due, by its rate, and what was begun.
type pace struct {
	schedule       *schedule
	unlimited      bool // as many are due as are begun
	workers        int64
	begun, decided atomic.Int64
}

func newPace(c *ClientConfig) *pace {
	return &pace{schedule: newSchedule(c.part, c.Rate), unlimited: c.unlimited, workers: int64(c.workers())}
}

// counts are how many requests were due so far and how many were begun.
func (p *pace) counts() (due, begun int64) {
	due, _ = p.schedule.count()
	begun = p.begun.Load()
	if p.unlimited {
		return begun, begun
	}
	return max(begun, due), begun // one may be begun just as it becomes due
}

// full reports whether as many requests wait for an answer as may.
func (p *pace) full() bool { return p.begun.Load()-p.decided.Load() >= p.workers }

// strains are what kept load from its plan, until they are taken.
type strains struct {
	mu     sync.Mutex
	kept   []Strain
	behind []Behind
}

// take hands over what was found.
func (s *strains) take() ([]Strain, []Behind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, behind := s.kept, s.behind
	s.kept, s.behind = nil, nil
	return kept, behind
}

// watch looks for strains until the context ends.
func (s *strains) watch(ctx context.Context, c clock, clients []*client) {
	paces := make([]pacing, len(clients))
	for i, client := range clients {
		paces[i] = pacing{client: client.config.Name, pace: client.attack.pace}
	}
	next := lookAtPace
	look := func(at time.Duration, last bool) {
		if at < next && !last {
			return
		}
		next = at + lookAtPace
		for i := range paces {
			if b := paces[i].look(last); b != nil {
				s.mu.Lock()
				s.behind = append(s.behind, *b)
				s.mu.Unlock()
			}
		}
	}
	passed := func() time.Duration { return time.Since(c.base) }
	tell := func(strain machine.Strain) {
		at := func(d time.Duration) int64 { return c.base.UnixMicro() + d.Microseconds() }
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept = append(s.kept, Strain{
			From: at(strain.From), Until: at(strain.Until), Longest: strain.Longest.Microseconds(), Lost: strain.Lost.Microseconds(),
		})
	}
	machine.Watch(ctx, passed, tell, func(at time.Duration) { look(at, false) })
	look(passed(), true)
}

// pacing is a client's pace as it is looked at.
type pacing struct {
	client     string
	pace       *pace
	at         time.Duration // of the last look, since the pace began
	due, begun int64         // at the last look
	stretch    *Behind       // that goes on
}

// look holds due against begun, and returns the stretch that ended with it; nil:
// none did.
func (p *pacing) look(last bool) *Behind {
	due, begun := p.pace.counts()
	elapsed := p.pace.schedule.elapsed()
	at := func(d time.Duration) int64 { return p.pace.schedule.begun.Add(d).UnixMicro() }
	_, rate := p.pace.schedule.count()
	late := !p.pace.unlimited && float64(due-begun) >= rate*behindBy.Seconds() && due-begun >= behindLeast
	if late && elapsed > p.at {
		if p.stretch == nil {
			p.stretch = &Behind{Client: p.client, From: at(p.at)}
		}
		s := p.stretch
		s.Until, s.Due, s.Sent, s.Full = at(elapsed), s.Due+due-p.due, s.Sent+begun-p.begun, s.Full || p.pace.full()
	}
	p.at, p.due, p.begun = elapsed, due, begun
	ended := p.stretch
	if ended == nil || late && !last && ended.Until-ended.From < behindFor.Microseconds() {
		return nil
	}
	p.stretch = nil
	return ended
}

// Event is s as an event of a history; offset as in Counts.Event.
func (s Strain) Event(offset func(time.Time) history.Offset) history.Event {
	micros := func(n int64) history.Offset { return history.Offset(time.Duration(n) * time.Microsecond) }
	return history.Event{At: offset(time.UnixMicro(s.Until)), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineStrained, Who: history.TheLoad, From: offset(time.UnixMicro(s.From)),
		Longest: micros(s.Longest), Lost: micros(s.Lost),
	}}
}

// Event is b as an event of a history; offset as in Counts.Event.
func (b Behind) Event(offset func(time.Time) history.Offset) history.Event {
	return history.Event{At: offset(time.UnixMicro(b.Until)), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineBehind, Who: b.Client, From: offset(time.UnixMicro(b.From)), Due: b.Due, Sent: b.Sent, Full: b.Full,
	}}
}
