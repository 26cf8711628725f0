package plan

import (
	"cmp"
	"iter"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// What is published on the way to a validator waits three times: until its emitter
// reads the store, until a shared cache in front of that expires, and until the
// validator fetches. The worst moment to accept is the one from which all three come
// as late as they can: each just before what it could have brought along.
//
//	accept ─► emitter's next poll ─► cache's next fill ─► validator's next fetch
//	       just after a poll      just after a fill     just after a fetch

const (
	// sure is by how much a poll or fetch may deviate from its rhythm; wall time.
	sure = history.Offset(100_000_000)
	// acts is how long an accept may take.
	acts = history.Offset(150_000_000)
	// alike is the difference below which two delays count as equal.
	alike = history.Offset(200_000_000)
	// mostBeats bounds how far a rhythm is followed.
	mostBeats = 400
)

// Moment says how an accept at some time falls into the rhythms of the parties.
type Moment struct {
	// Known says that rhythms were seen at all; Unseen are the validators whose fetches were not.
	Known  bool
	Unseen []string
	// Now says that no later moment is worse. Missed are the validators other than the slowest for
	// which one is, where Timing.Missed was asked for them.
	Now    bool
	Missed []string
}

// Timed are the validators with a timer on their way, the slowest way first, without those whose
// fetches nobody can see.
func (l Limits) Timed() []Validator {
	var timed []Validator
	for _, v := range l.Validators {
		if v.Fleet > 1 {
			continue // for such a validator all moments are equal
		}
		byTime := (!v.OnMiss || v.Learns > 0) && v.Refills() > 0 && v.Refills() != runbook.Forever
		if (byTime || v.Shared > 0) && !v.Untold && (!v.Blind || v.Through != "") && !v.Authority {
			timed = append(timed, v)
		}
	}
	slices.SortStableFunc(timed, func(a, b Validator) int { return -cmp.Compare(l.slowness(a), l.slowness(b)) })
	return timed
}

// Untimed are the validators on the page whose reads nobody can see: their worst moment cannot be
// waited for.
func (l Limits) Untimed() (names []string) {
	for _, v := range l.Validators {
		if v.OnPage && v.Blind && v.Through == "" && !v.Authority {
			names = append(names, v.Name)
		}
	}
	return names
}

// slowness is the longest real time of a publication to a validator; wall time.
func (l Limits) slowness(v Validator) history.Offset {
	refills := v.Refills()
	if refills == runbook.Forever {
		refills = 0
	}
	return history.Offset(l.Wall(refills)+l.Wall(add(v.Shared, l.Publishing(v)))) + history.Offset(v.Granule)
}

// LooksAhead is the wall time in which every way has its worst moment once.
func (l Limits) LooksAhead() history.Offset {
	if timed := l.Timed(); len(timed) > 0 {
		return l.slowness(timed[0])
	}
	return 0
}

// publicationPath is the way of a publication to one validator, as the rhythms of the parties on
// it predict.
type publicationPath struct {
	polls   []history.Offset // the emitter's next polls; none: it publishes at once, as far as is known
	wait    history.Offset   // how late it may publish, where its polls are unknown
	cached  bool
	filled  history.Offset
	ttl     history.Offset
	fetches []fetch        // through the same cache, in order
	early   bool           // every fetch comes at its earliest, when it would be seen
	onMiss  bool           // it fetches what it does not know
	cool    history.Offset // so long after its last fetch
	last    history.Offset
}

// fetch is a predicted fetch, between two moments; own: the validator's.
type fetch struct {
	from, to history.Offset
	own      bool
}

// by is when a fetch has come at the latest.
func (w *publicationPath) by(f fetch) history.Offset {
	if w.early {
		return f.from + 2*sure
	}
	return f.to
}

// Timing finds the moment to accept. It is for one view at a time.
type Timing struct {
	limits  Limits
	timed   []Validator
	through map[string][]*Validator // those that fetch through a cache
	heard   map[string]bool         // whose reads it needs: emitters and caches on the way

	// What the last call used, to be used again.
	ways, expected []publicationPath
	names          []string
	here           []history.Offset
	candidates     []history.Offset
	fetches        []fetch // of all ways
	alone          [1]*Validator
	now, until     history.Offset
}

// Timing prepares to find the moment to accept, which is looked for often.
func (l Limits) Timing() *Timing {
	t := &Timing{limits: l, timed: l.Timed(), through: map[string][]*Validator{}, heard: map[string]bool{}}
	for i, v := range l.Validators {
		if v.Via != "" {
			t.through[v.Via] = append(t.through[v.Via], &l.Validators[i])
		}
	}
	for _, v := range t.timed {
		t.heard[v.From], t.heard[v.Via] = true, true
	}
	return t
}

// AcceptAt compares an accept now with one at any later moment until another.
func (t *Timing) AcceptAt(view *history.View, now, until history.Offset) Moment {
	var m Moment
	t.ways, t.expected, t.names, t.here, t.fetches = t.ways[:0], t.expected[:0], t.names[:0], t.here[:0], t.fetches[:0]
	rhythms := t.rhythms(view)
	for i := range t.timed {
		v := &t.timed[i]
		if r := view.Fetched(v.fetcher()); r == nil || r.Count == 0 {
			m.Unseen = append(m.Unseen, v.Name)
			continue
		}
		t.names = append(t.names, v.Name)
		way := t.courseOf(rhythms, v, now, until)
		t.ways = append(t.ways, way)
		way.early = true
		t.expected = append(t.expected, way)
	}
	if m.Known = len(t.ways) > 0; !m.Known {
		return m
	}
	for i := range t.ways {
		t.here = append(t.here, t.ways[i].late(now))
	}
	t.now, t.until = now, until
	m.Now = !slices.ContainsFunc(t.begin(t.expected, now, until), func(later history.Offset) bool { return worse(t.expected, later, t.here) })
	return m
}

// Missed are the validators for which the moment of the last AcceptAt was not the worst.
func (t *Timing) Missed() (missed []string) {
	for i := range t.expected {
		most := t.here[i] // the worst case begins when one of its own waits begins
		if i == 0 || !alikeIn(t.expected[i-1], t.expected[i]) {
			t.begin(t.expected[i:i+1], t.now, t.until)
		}
		for _, later := range t.candidates {
			most = max(most, t.expected[i].late(later))
		}
		if t.here[i]+alike+most/10 < most {
			missed = append(missed, t.names[i])
		}
	}
	return missed
}

// alikeIn reports whether the waits of two ways begin at the same moments: they are behind the same emitter,
// which polls.
func alikeIn(a, b publicationPath) bool {
	return len(a.polls) > 0 && len(b.polls) > 0 && &a.polls[0] == &b.polls[0] && !a.cut()
}

// cut reports whether its emitter polls so often that not all of its polls are followed: after the last that is, it
// publishes as good as at once.
func (w *publicationPath) cut() bool { return len(w.polls) == mostBeats }

// worse reports whether a moment is worse than another whose delays are known, by the first way in
// which they differ.
func worse(ways []publicationPath, moment history.Offset, here []history.Offset) bool {
	for i := range ways {
		switch late := ways[i].late(moment); {
		case late > here[i]+alike:
			return true
		case here[i] > late+alike:
			return false
		}
	}
	return false
}

// begin finds the moments at which some wait begins, which are its candidates until the next call.
func (t *Timing) begin(ways []publicationPath, now, until history.Offset) []history.Offset {
	all := t.candidates[:0]
	add := func(at history.Offset) {
		if at += sure; at > now && at <= until {
			all = append(all, at)
		}
	}
	for i := range ways {
		w := &ways[i]
		if len(w.polls) == 0 || w.cut() {
			for _, f := range w.fetches {
				add(w.by(f))
			}
		}
		if i == 0 || !alikeIn(ways[i-1], *w) {
			for _, poll := range w.polls {
				add(poll)
			}
		}
	}
	slices.Sort(all)
	t.candidates = slices.Compact(all)
	return t.candidates
}

// rhythms are the intervals seen so far, by party.
type rhythms struct {
	view    *history.View
	readers map[string][]*history.Reader
	polls   map[pollsKey][]history.Offset
}

// pollsKey is whose next polls are predicted, how often it polls where it was not seen to, and until when.
type pollsKey struct {
	emitter          string
	last, every, end history.Offset
}

func (t *Timing) rhythms(view *history.View) rhythms {
	r := rhythms{view: view, readers: map[string][]*history.Reader{}, polls: map[pollsKey][]history.Offset{}}
	for _, reader := range view.Readers {
		if t.heard[reader.Name] {
			r.readers[reader.Name] = append(r.readers[reader.Name], reader)
		}
	}
	return r
}

// courseOf predicts the way to a validator.
func (t *Timing) courseOf(seen rhythms, v *Validator, now, until history.Offset) publicationPath {
	l := t.limits
	end := until + 3*l.slowness(*v)
	w := publicationPath{onMiss: v.OnMiss, cool: history.Offset(l.Wall(v.Learns)), last: seen.view.Fetched(v.fetcher()).Last}
	for _, r := range seen.readers[v.From] {
		if r.What != runbook.JWKS && !v.Reads {
			key := pollsKey{v.From, r.Last, cmp.Or(r.Habit().Length(), history.Offset(l.Wall(l.Publishing(*v)))), end}
			if w.polls = seen.polls[key]; w.polls == nil {
				w.polls = slices.Collect(beats(r.Last, key.every, now, end))
				seen.polls[key] = w.polls
			}
		}
	}
	if v.Via != "" {
		for _, r := range seen.readers[v.Via] {
			w.filled = max(w.filled, r.Last)
		}
	}
	if len(w.polls) == 0 && !v.Reads {
		w.wait = history.Offset(l.Wall(l.Publishing(*v)))
	}
	w.cached, w.ttl = v.Shared > 0, history.Offset(l.Wall(v.Shared))
	together := t.through[v.Via]
	if v.Via == "" {
		t.alone[0] = v
		together = t.alone[:]
	}
	from := len(t.fetches)
	for _, other := range together {
		r := seen.view.Fetched(other.fetcher())
		refills := other.Refills()
		if r == nil || r.Count == 0 || refills <= 0 || refills == runbook.Forever {
			continue
		}
		every, late := history.Offset(l.Wall(refills)), history.Offset(other.Granule)
		// The first interval may be incomplete.
		if seen := r.Habit().Length(); !other.OnMiss && seen > 0 && (seen >= every || r.Whole > 1) {
			every, late = seen, 0
		}
		for at := range beats(r.Last, every, now, end) {
			t.fetches = append(t.fetches, fetch{at - sure, at + late + sure, other.Name == v.Name})
		}
	}
	w.fetches = slices.Clip(t.fetches[from:])
	slices.SortFunc(w.fetches, func(a, b fetch) int { return cmp.Compare(a.from, b.from) })
	return w
}

// beats are the next times of something periodic, from its last one on. What is overdue happens now.
func beats(last, every, now, end history.Offset) iter.Seq[history.Offset] {
	return func(yield func(history.Offset) bool) {
		at := max(last+every, now)
		for n := 0; every > 0 && at <= end && n < mostBeats && yield(at); n++ {
			at += every
		}
	}
}

// late is the shortest time after an accept at a moment in which a validator learns, whether the accept
// takes no time or acts.
func (w *publicationPath) late(moment history.Offset) history.Offset {
	least := w.learns(w.published(moment)) - moment
	least = min(least, w.learns(w.published(moment+acts))-moment)
	if w.wait > 0 {
		least = min(least, w.learns(moment+w.wait)-moment)
	}
	return max(least, 0)
}

// published is when an accept at a moment is published.
func (w *publicationPath) published(moment history.Offset) history.Offset {
	for _, poll := range w.polls {
		if poll >= moment {
			return poll
		}
	}
	return moment
}

// learns is when a validator may learn what is published at a moment.
func (w *publicationPath) learns(published history.Offset) history.Offset {
	filled, last := w.filled, w.last
	fresh := false // the cache has been filled since
	known := func(at history.Offset) bool { return at >= published }
	for _, f := range w.fetches {
		if w.onMiss && f.from > published {
			if at := max(published, last+w.cool, filled+w.ttl); at < f.from {
				return at
			}
		}
		if w.cached {
			if w.by(f) >= filled+w.ttl {
				filled, fresh = f.from, known(w.by(f))
			}
			if f.own && fresh {
				return max(f.from, published)
			}
		} else if f.own && known(w.by(f)) {
			return max(f.from, published)
		}
		if f.own {
			last = f.from
		}
	}
	return max(published, last+w.cool, filled+w.ttl)
}
