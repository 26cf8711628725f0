package plan

import (
	"cmp"
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
	// sure is wall time by which a poll or a fetch may come sooner or later than its
	// rhythm says.
	sure = history.Offset(100_000_000)
	// acts is how long an accept may take.
	acts = history.Offset(150_000_000)
	// alike is how much less than the most counts as the most.
	alike = history.Offset(200_000_000)
	// mostBeats bounds how far a rhythm is followed.
	mostBeats = 400
)

// Moment is how an accept falls into what parties do by time.
type Moment struct {
	// Known says that something was seen to tell by; Unseen are the validators whose
	// fetches were not.
	Known  bool
	Unseen []string
	// Now says that no later moment is worse. Missed are the validators for which
	// one is, though not for the slowest.
	Now    bool
	Missed []string
}

// Timed are the validators on whose way something waits for its time, the slowest
// way first. Those of which nobody can see when they fetch are not among them.
func (l Limits) Timed() []Validator {
	var timed []Validator
	for _, v := range l.Validators {
		if v.Fleet > 1 {
			continue // any moment is the worst for one of them
		}
		byTime := (!v.OnMiss || v.Learns > 0) && v.Refills() > 0 && v.Refills() != runbook.Forever
		if (byTime || v.Shared > 0) && !v.Untold && (!v.Blind || v.Through != "") && !v.Authority {
			timed = append(timed, v)
		}
	}
	slices.SortStableFunc(timed, func(a, b Validator) int { return -cmp.Compare(l.slowness(a), l.slowness(b)) })
	return timed
}

// Untimed are the validators on the page of which nobody tells when they take what is
// published: their worst moment cannot be waited for.
func (l Limits) Untimed() (names []string) {
	for _, v := range l.Validators {
		if v.OnPage && v.Blind && v.Through == "" && !v.Authority {
			names = append(names, v.Name)
		}
	}
	return names
}

// slowness is the longest way of a publication to a validator, as it is; wall time.
func (l Limits) slowness(v Validator) history.Offset {
	refills := v.Refills()
	if refills == runbook.Forever {
		refills = 0
	}
	return history.Offset(l.Wall(refills)+l.Wall(add(v.Shared, l.Publishing(v)))) + history.Offset(v.Granule)
}

// LooksAhead is the wall time within which every way has its worst moment once.
func (l Limits) LooksAhead() history.Offset {
	if timed := l.Timed(); len(timed) > 0 {
		return l.slowness(timed[0])
	}
	return 0
}

// publicationPath is the way of a publication to one validator, as the rhythms of the parties on
// it predict.
type publicationPath struct {
	polls   []history.Offset // of its emitter, from the next on; none: it publishes at once, as far as is known
	wait    history.Offset   // by which it may publish later, where nothing is known of its polls
	cached  bool
	filled  history.Offset
	ttl     history.Offset
	fetches []fetch        // through the same cache, in order
	onMiss  bool           // it fetches what it does not know
	cool    history.Offset // so long after its last fetch
	last    history.Offset
}

// fetch is one that is foretold, between two moments; own is of the validator itself.
type fetch struct {
	from, to history.Offset
	own      bool
}

// AcceptAt says what kind of moment to accept at now is, beside those until another.
func (l Limits) AcceptAt(view *history.View, now, until history.Offset) Moment {
	var m Moment
	timed := l.Timed()
	var ways, expected []publicationPath // the second with every fetch at its earliest: it will have been seen
	var names []string
	rhythms := l.rhythms(view)
	for _, v := range timed {
		if r := view.Fetching[v.fetcher()]; r == nil || r.Count == 0 {
			m.Unseen = append(m.Unseen, v.Name)
			continue
		}
		names = append(names, v.Name)
		way := l.courseOf(rhythms, v, now, until)
		exact := way
		exact.fetches = slices.Clone(way.fetches)
		for i := range exact.fetches {
			exact.fetches[i].to = exact.fetches[i].from + 2*sure
		}
		ways, expected = append(ways, way), append(expected, exact)
	}
	if m.Known = len(ways) > 0; !m.Known {
		return m
	}
	here := make([]history.Offset, len(ways))
	for i := range ways {
		here[i] = ways[i].late(now)
	}
	m.Now = !slices.ContainsFunc(candidates(expected, now, until), func(later history.Offset) bool { return worse(expected, later, here) })
	for i := range ways {
		most := here[i] // a way is never later than from where something of its own begins to wait
		for _, later := range candidates(expected[i:i+1], now, until) {
			most = max(most, expected[i].late(later))
		}
		if here[i]+alike+most/10 < most {
			m.Missed = append(m.Missed, names[i])
		}
	}
	return m
}

// worse reports whether a moment is worse than one of which it is known how late each
// way is, for the first way for which the two differ.
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

// candidates are the moments at which something begins to wait.
func candidates(ways []publicationPath, now, until history.Offset) []history.Offset {
	var all []history.Offset
	for _, w := range ways {
		for _, poll := range w.polls {
			all = append(all, poll+sure)
		}
		if len(w.polls) == 0 {
			for _, f := range w.fetches {
				all = append(all, f.to+sure)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(at history.Offset) bool { return at <= now || at > until })
}

// rhythms are what was seen so far of when things are done, by who does them.
type rhythms struct {
	view    *history.View
	readers map[string][]*history.Reader
	through map[string][]Validator // those that fetch through a cache
}

func (l Limits) rhythms(view *history.View) rhythms {
	r := rhythms{view: view, readers: map[string][]*history.Reader{}, through: map[string][]Validator{}}
	for _, reader := range view.Readers {
		r.readers[reader.Name] = append(r.readers[reader.Name], reader)
	}
	for _, v := range l.Validators {
		if v.Via != "" {
			r.through[v.Via] = append(r.through[v.Via], v)
		}
	}
	return r
}

// courseOf foretells the way to a validator.
func (l Limits) courseOf(seen rhythms, v Validator, now, until history.Offset) publicationPath {
	end := until + 3*l.slowness(v)
	w := publicationPath{onMiss: v.OnMiss, cool: history.Offset(l.Wall(v.Learns)), last: seen.view.Fetching[v.fetcher()].Last}
	for _, r := range seen.readers[v.From] {
		if r.What != runbook.JWKS && !v.Reads {
			every := cmp.Or(r.Habit().Length(), history.Offset(l.Wall(l.Publishing(v))))
			w.polls = beats(r.Last, every, now, end)
		}
	}
	if v.Via != "" {
		for _, r := range seen.readers[v.Via] {
			w.filled = max(w.filled, r.Last)
		}
	}
	if len(w.polls) == 0 && !v.Reads {
		w.wait = history.Offset(l.Wall(l.Publishing(v)))
	}
	w.cached, w.ttl = v.Shared > 0, history.Offset(l.Wall(v.Shared))
	together := seen.through[v.Via]
	if v.Via == "" {
		together = []Validator{v}
	}
	for _, other := range together {
		r := seen.view.Fetching[other.fetcher()]
		refills := other.Refills()
		if r == nil || r.Count == 0 || refills <= 0 || refills == runbook.Forever {
			continue
		}
		every, late := history.Offset(l.Wall(refills)), history.Offset(other.Granule)
		// The first time may be that to the beginning of a rhythm.
		if seen := r.Habit().Length(); !other.OnMiss && seen > 0 && (seen >= every || r.Whole > 1) {
			every, late = seen, 0
		}
		for _, at := range beats(r.Last, every, now, end) {
			w.fetches = append(w.fetches, fetch{at - sure, at + late + sure, other.Name == v.Name})
		}
	}
	slices.SortFunc(w.fetches, func(a, b fetch) int { return cmp.Compare(a.from, b.from) })
	return w
}

// beats are when something is done again that was done last at a moment. What is
// overdue is done now.
func beats(last, every, now, end history.Offset) []history.Offset {
	if every <= 0 {
		return nil
	}
	next := last + every
	if next < now {
		next = now
	}
	var all []history.Offset
	for at := next; at <= end && len(all) < mostBeats; at += every {
		all = append(all, at)
	}
	return all
}

// late is how long after an accept at a moment a validator learns at the least: as
// soon as it may be, for an accept that takes no time and for one that takes some.
func (w *publicationPath) late(moment history.Offset) history.Offset {
	least := w.learns(w.published(moment)) - moment
	least = min(least, w.learns(w.published(moment+acts))-moment)
	if w.wait > 0 {
		least = min(least, w.learns(moment+w.wait)-moment)
	}
	return max(least, 0)
}

// published is when what is accepted at a moment is published.
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
	fresh := false // what the cache holds was filled with it
	known := func(at history.Offset) bool { return at >= published }
	for _, f := range w.fetches {
		if w.onMiss && f.from > published {
			if at := max(published, last+w.cool, filled+w.ttl); at < f.from {
				return at
			}
		}
		if w.cached {
			if f.to >= filled+w.ttl {
				filled, fresh = f.from, known(f.to)
			}
			if f.own && fresh {
				return max(f.from, published)
			}
		} else if f.own && known(f.to) {
			return max(f.from, published)
		}
		if f.own {
			last = f.from
		}
	}
	return max(published, last+w.cool, filled+w.ttl)
}
