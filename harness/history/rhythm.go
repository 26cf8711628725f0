package history

import (
	"math"
	"slices"
)

// Rhythm is how often a party does the same thing: reads the store, fetches a
// key set.
type Rhythm struct {
	First, Last Offset
	Count       int64
	// Gaps are the longest times between one and the next, the longest first, of those
	// into which neither a fault fell nor an end of the party: what kept it once is no
	// habit of its own. Of few, those that there are not are empty.
	Gaps [keptGaps]Gap
	// Whole is how many gaps were looked at.
	Whole int64

	away bool // it has ended since the last one
	// asked says that it is shown again and again what it need not have, as the old credential
	// after the revoke: what it fetches soon after another fetch it may fetch for that.
	asked bool
}

// Gap is the time between two of a party's fetches or reads, or another stretch.
type Gap struct{ From, To Offset }

// Length is how long it was.
func (g Gap) Length() Offset { return g.To - g.From }

const (
	// manyGaps is from how many gaps on the longest may be an accident: a machine
	// that stood still for a moment.
	manyGaps = 4
	// accidents is the share of many gaps that may be such: one in so many. On a
	// machine that is pressed a poll in ten comes late.
	accidents = 8
	// evenly is up to how many times the usual step between long gaps, one longer than the next, the
	// longest are above those: what is chance by design (jitter) has no more, an accident has.
	evenly = 3
	// jittered is the share of a gap by which gaps differ where that is by design: one in so many.
	jittered = 4
	// crowded is the share of the spread of gaps below which two of them are alike: one in so many.
	crowded = 20
	// soon is how many times shorter than the habit is what comes soon.
	soon = 4
	// keptGaps is how many of the longest are kept, enough for some hundred.
	keptGaps = 16
)

// Habit is the time between two that the party was seen to let pass: the longest
// or, of many, the longest that is no accident. An empty Gap: it was not seen.
func (r *Rhythm) Habit() Gap {
	if r.Whole < manyGaps {
		return r.Gaps[0]
	}
	usual := min(max(1, int(r.Whole)/accidents), keptGaps-1)
	if r.fallOffEvenly(usual) {
		return r.Gaps[0]
	}
	return r.Gaps[usual]
}

// fallOffEvenly reports whether the gaps differ much and the longest go on as those from usual on
// begin: a party that waits for a time drawn by chance (jitter) waits that long again. Polls in
// a cluster with some far above it have those by accident.
func (r *Rhythm) fallOffEvenly(usual int) bool {
	last := min(int(r.Whole), keptGaps) - 1
	if last <= usual {
		return false
	}
	step := float64(r.Gaps[usual].Length()-r.Gaps[last].Length()) / float64(last-usual)
	above := float64(r.Gaps[0].Length()-r.Gaps[usual].Length()) / float64(usual)
	return above > 0 && above <= evenly*step && jittered*step*float64(r.Whole) >= float64(r.Gaps[usual].Length())
}

// ByChance reports whether a party draws its pauses by chance around a time (jitter): some are longer and some shorter,
// spread evenly and about as much to both sides. longest is then how long one may be: as much longer than that time as
// the shortest was shorter. Of many the longest has come, or nearly.
func (r *Rhythm) ByChance(around Offset) (longest Offset, is bool) {
	n := int(r.Whole)
	if n < manyGaps || n > keptGaps || n < keptGaps && r.Gaps[n].Length() > 0 {
		return 0, false
	}
	most, least := r.Gaps[0].Length(), r.Gaps[n-1].Length()
	spread := most - least
	if most <= around || least >= around || jittered*spread < most {
		return 0, false
	}
	sum, alike := most, 0
	for i := 1; i < n; i++ {
		sum += r.Gaps[i].Length()
		if crowded*(r.Gaps[i-1].Length()-r.Gaps[i].Length()) < spread {
			alike++ // one habit, and exceptions from it
		}
	}
	// Twice the error of the mean of n times that are drawn evenly from such a spread.
	off := math.Abs(float64(sum)/float64(n) - float64(around))
	if alike > n/3 || off > 2*float64(spread)/math.Sqrt(12*float64(n)) {
		return 0, false
	}
	return max(most, 2*around-least), true
}

// beat takes one more into account; disturbed says that a fault fell into the
// time since the last.
func (r *Rhythm) beat(at Offset, disturbed bool) {
	gap := Gap{r.Last, at}
	if r.Count == 0 {
		r.First = at
	} else if !r.away && !disturbed && gap.Length() >= 0 {
		if !r.asked || soon*gap.Length() >= r.Habit().Length() {
			r.Whole++
		}
		r.keep(gap)
	}
	r.Last, r.away = max(r.Last, at), false
	r.Count++
}

// keep puts a gap among the longest, before those that are shorter.
func (r *Rhythm) keep(gap Gap) {
	for i, kept := range r.Gaps {
		if gap.Length() > kept.Length() {
			copy(r.Gaps[i+1:], r.Gaps[i:])
			r.Gaps[i] = gap
			return
		}
	}
}

// faultSpan is the time in which a fault was in effect.
type faultSpan struct {
	kind, target string
	from, to     Offset
}

// untilUndone is the end of what is not over.
const untilUndone = Offset(math.MaxInt64)

// disturb follows the life of a fault.
func (v *View) disturb(at Offset, f *Fault) {
	switch f.Stage {
	case FaultInjected:
		v.disturbances = append(v.disturbances, faultSpan{f.Kind, f.Target, at, untilUndone})
	case FaultUndone:
		for i := range v.disturbances {
			if d := &v.disturbances[i]; d.kind == f.Kind && d.target == f.Target && d.to == untilUndone {
				d.to = at
			}
		}
	}
}

// Disturbed reports whether a fault was in effect at some time in [from, to].
func (v *View) Disturbed(from, to Offset) bool {
	return slices.ContainsFunc(v.disturbances, func(d faultSpan) bool { return d.from <= to && d.to >= from })
}

// Fetched is the rhythm in which a validator fetches what it checks by: by its own word, or else by the store's log,
// where it reads there itself. nil: nothing of it was seen.
func (v *View) Fetched(validator string) *Rhythm {
	if r := v.Fetching[validator]; r != nil {
		return r
	}
	for _, r := range v.Readers {
		if r.Name == validator && r.At == Store {
			return &r.Rhythm
		}
	}
	return nil
}

// Pause is the time between two fetches that a validator was seen to let pass by
// habit; an empty Gap: it was not seen.
func (v *View) Pause(validator string) Gap {
	if r := v.Fetched(validator); r != nil {
		return r.Habit()
	}
	return Gap{}
}

// Since is the time since a validator's last fetch; an empty Gap where it has made
// none, was not there all the time, or a fault fell into it.
func (v *View) Since(validator string) Gap {
	r := v.Fetched(validator)
	if r == nil || r.away || v.Disturbed(r.Last, v.Now) {
		return Gap{}
	}
	return Gap{r.Last, max(v.Now, r.Last)}
}

// rhythm is that of a party among others of its kind.
func rhythm(of map[string]*Rhythm, party string) *Rhythm {
	if of[party] == nil {
		of[party] = &Rhythm{}
	}
	return of[party]
}

// goneAway keeps a time in which a party was not there from counting as its habit.
// That it is started is no sign of that: it has fetched before anybody says so.
func (v *View) goneAway(party string) {
	if r := v.Fetching[party]; r != nil {
		r.away = true
	}
	for _, r := range v.Readers {
		if r.Name == party {
			r.away = true
		}
	}
}
