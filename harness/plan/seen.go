package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// unsure is the precision of a moment, in wall time: of a log line, a timer, a loaded machine. Only
// what exceeds it contradicts a page.
const unsure = 500 * time.Millisecond

// Sight is what a run has seen until now, with the names of its two credentials; New is empty before
// one is made.
type Sight struct {
	View     *history.View
	Old, New string

	publishing map[string]lateness // by emitter, of bounds that are looked at together
}

// lateness is how late an emitter was seen to publish, if it was.
type lateness struct {
	figure
	found bool
}

// BoundsSeen are the Bounds of parties on the page, with each figure replaced that the run saw to be
// larger than the page or a library says: how often a party really reads, how long it really keeps what
// it has. Gate, judge and screen all ask this. It changes nothing.
func (l Limits) BoundsSeen(s Sight) []Bound {
	s.publishing = map[string]lateness{}
	for _, e := range l.Emitters {
		late, found := l.seenRefresh(s, e, true)
		s.publishing[e.Name] = lateness{late, found}
	}
	bounds := make([]Bound, 0, 2*len(l.Validators)+1)
	for _, v := range l.Validators {
		if v.OnPage {
			bounds = append(bounds, l.seenG1(s, v))
		}
	}
	bounds = append(bounds, l.seenG2(s))
	for _, e := range l.Exceptions {
		if e.Until > 0 {
			bounds = append(bounds, l.seenException(s, e))
		}
	}
	for _, v := range l.Validators {
		if v.OnPage {
			bounds = append(bounds, l.seenG3(s, v))
		}
	}
	return bounds
}

// figure is a figure that was seen, in page time, and how.
type figure struct {
	time  time.Duration
	party string        // to look at
	how   string        // a sentence
	room  time.Duration // page time by which it may be wrong
	open  bool          // it was still growing
	once  bool          // it was seen once, which is no rhythm
	least bool          // the revoke cut it short, or may have
	maybe bool          // what was seen may mean something else, which the page allows
	more  time.Duration // by how much it may exceed what was seen, where it is drawn by chance
}

// seenG1 is the least lead for a validator.
func (l Limits) seenG1(s Sight, v Validator) Bound {
	b := Bound{Rule: "G1", Validator: v.Name, Field: "rollout.lead", Party: v.Name}
	if b.Planned, b.room = l.lead(s); b.room > 0 {
		b.Field = "what the rotator lets pass between accept and emit"
	}
	learns, found := l.seenLearning(s, v)
	b.term("learns", v.Learns, learns, found)
	b.term("cache "+v.Via, v.Shared, figure{}, false)
	l.copies(&b, s, v)
	l.publishing(&b, s, v)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	if s.ahead(v.From) || l.unled(s, v) {
		b.Held = true
		return b
	}
	if late, found := l.seenLearned(s, v); found && late.time > b.Needed+b.room+late.room {
		b.Terms, b.Needed, b.room = nil, 0, 0
		b.Seen, b.most, b.more, b.Might = nil, 0, 0, nil
		b.chance, b.copies = false, false
		b.term("it learned "+s.New+" so late", 0, late, true)
	}
	return b.settled()
}

// ahead reports whether an emitter had published the new credential before the rotation began: then the
// lead was that long, and not the page's.
func (s Sight) ahead(emitter string) bool {
	at, ok := s.View.PublishedAt[emitter][s.New]
	return ok && at < s.View.PhaseStart[history.Baseline]
}

// seenG2 is the least window.
func (l Limits) seenG2(s Sight) Bound {
	b := Bound{Rule: "G2", Field: "overlap.window"}
	if b.Planned, b.room = l.window(s); b.room > 0 {
		b.Field = "what the rotator lets pass between the last switch and the revoke"
	}
	life, found := l.seenLife(s)
	b.term("longest life", l.LongestLife, life, found)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	if late, found := l.seenLateness(s); found {
		b.term("late switch of "+late.party, 0, late, true)
	}
	if l.unrevoked(s) {
		b.Held = true
		return b
	}
	return b.settled()
}

// seenG3 is the least watch for a validator.
func (l Limits) seenG3(s Sight, v Validator) Bound {
	b := Bound{Rule: "G3", Validator: v.Name, Field: "rollout.watch", Planned: l.Watch, Party: v.Name}
	keeps, found := l.seenKeeping(s, v)
	b.term("forgets", v.Forgets, keeps, found)
	b.term("cache "+v.Via, v.Shared, figure{}, false)
	l.copies(&b, s, v)
	l.publishing(&b, s, v)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	return b.settled()
}

// copies adds by how much a cache on the way to a validator may keep its copy for longer than the page says: it says so
// itself (Cache-Control), and nobody sees how old the copies are that it serves.
func (l Limits) copies(b *Bound, s Sight, v Validator) {
	by := v.Via
	if s.View.Kept[by] == 0 {
		by = v.From
	}
	kept := l.Page(s.View.Kept[by].Duration())
	own := slices.ContainsFunc(l.Caches, func(c Cache) bool { return c.Name == by }) // the run's own keeps to its ttl
	if v.Authority || own || kept <= v.Shared+l.Page(cacheGranule) {
		return
	}
	b.more, b.copies = b.more+kept-v.Shared, true
	b.Might = append(b.Might, fmt.Sprintf("%s is answered for by a cache (its answers have an Age), which may serve a copy for %s (max-age and stale-while-revalidate of its Cache-Control), and the page has %s for it", by, Text(kept), Text(v.Shared)))
}

// publishing adds the term of the emitter that publishes for a validator.
func (l Limits) publishing(b *Bound, s Sight, v Validator) {
	e, _ := l.Emitter(v.From)
	late := s.publishing[v.From]
	b.term("refresh of "+v.From, e.Refresh, late.figure, late.found)
}

// term adds a figure to a bound: the page's, or the one seen in its place.
func (b *Bound) term(what string, claimed time.Duration, seen figure, found bool) {
	t := Term{What: what, Time: claimed}
	if found {
		t.Time, t.Seen = seen.time, true
		b.Seen = append(b.Seen, seen.how)
		b.room += seen.room
		b.more, b.chance = b.more+seen.more, b.chance || seen.more > 0
		b.Open, b.Once, b.Least, b.Maybe = b.Open || seen.open, b.Once || seen.once, b.Least || seen.least, b.Maybe || seen.maybe
		if more := seen.time - claimed; more > b.most {
			b.most, b.Party = more, seen.party
		}
	}
	if t.Time != 0 {
		b.Terms = append(b.Terms, t)
		b.Needed = add(b.Needed, t.Time)
	}
}

// settled decides whether a bound holds. The precision of what was seen counts in the page's favour
// here, and is added to the value that is advised, so that the advice holds when it is rehearsed.
func (b Bound) settled() Bound {
	if b.Needed == runbook.Forever {
		b.Held = false
		return b
	}
	held := b.Planned >= b.Needed-b.room
	b.Held = b.Planned >= b.Needed+b.more-b.room
	switch {
	case b.Held:
		b.Needed = min(b.Needed, b.Planned)
	case b.more > 0:
		b.Chance, b.Copies, b.Maybe = held && b.chance, held && b.copies, held || b.Maybe
		b.Needed = (b.Needed + b.more + b.room + time.Second - 1).Truncate(time.Second)
	case b.room > 0:
		b.Needed = (b.Needed + b.room + time.Second - 1).Truncate(time.Second)
	}
	return b
}

// Worst keeps, of broken bounds of one rule that share a party which is not itself the late one, the
// one that asks most: an emitter that publishes late does so for every validator.
func Worst(broken []Bound) []Bound {
	var worst []Bound
	for _, b := range broken {
		i := slices.IndexFunc(worst, func(w Bound) bool {
			return w.Rule == b.Rule && w.Party == b.Party && b.Party != b.Validator && b.Party != ""
		})
		switch {
		case i < 0:
			worst = append(worst, b)
		case b.Needed > worst[i].Needed:
			worst[i] = b
		}
	}
	return worst
}

// Stretch is the stretch of time that a bound is about: lead, window or watch.
func (b Bound) Stretch() string {
	return map[string]string{"G1": "lead", "G2": "window", "G3": "watch"}[b.Rule]
}

// Untold tells of a bound of which it cannot be told whether it holds.
func (b Bound) Untold() string {
	return fmt.Sprintf("it cannot be told whether the %s of %s is long enough, or must be at least %s: %s", b.Stretch(), Text(b.Planned), Text(b.Needed), strings.Join(slices.Concat(b.Seen, b.Might), "; "))
}

// Short tells of a bound that does not hold, in the words of a gate.
func (b Bound) Short() string {
	text := fmt.Sprintf("the %s is %s and must be at least %s", b.Stretch(), Text(b.Planned), Text(b.Needed))
	if b.Needed == runbook.Forever {
		text = fmt.Sprintf("the %s is %s, and no time is enough", b.Stretch(), Text(b.Planned))
	}
	if b.Validator != "" {
		text += " for " + b.Validator
	}
	if len(b.Seen) == 0 {
		text += " (" + b.sum() + ")"
	}
	if told := slices.Concat(b.Seen, b.Might); len(told) > 0 {
		text += ": " + strings.Join(told, "; ")
	}
	return text
}
