// Package observe looks at parties from outside, whoever started them: at the
// key set that an address answers with, and at the token that an issuer gives.
// What a party tells itself is read elsewhere (harness/logs); this is for those
// that tell nothing.
//
//	Watch ──every──┬─► key set of each place ──► looked, published
//	               └─► token of each issuer  ──► emitting
//
// It asks rarely, under a name of its own, and is no load: nothing of it is
// counted. It never keeps a key or a token.
package observe

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// Agent is how an observer names itself to those whom it asks; what begins so
	// is taken for the harness everywhere.
	Agent = "rehearse-probe/observe"
	// Every is how often each place is looked at, in wall time.
	Every = 500 * time.Millisecond
	// Timeout bounds one look: longer than most clients wait for a key set.
	Timeout = 5 * time.Second
	// tellEvery is how often a place is told of that has not changed.
	tellEvery = 10 * time.Second
	// seldom is from how many times the usual time between two on looks were seldom.
	seldom = 4
	// slow is from when on an answer is told of though it has not changed.
	slow = time.Second
)

// Place is an address at which a key set is to be had.
type Place struct {
	Service string        // whose it is
	Reader  string        // on whose way it lies, where something stands on that; "" is the harness's own
	URL     func() string // of the key set
	// Tells says that what is published there is told by nobody else.
	Tells bool
	// Rests says that it is not to be looked at now: who asks a cache fills it, and
	// readers would have from it what they had not without. Nil: never.
	Rests func() bool
}

// Issuer is a party that gives tokens and tells nothing of what it signs with.
type Issuer struct {
	Service string
	// Token asks for one. Nothing of it is kept but the kid that it is signed under.
	Token func(ctx context.Context) (string, error)
	// Set is the address of the key set that it is to be checked by; nil: none is known.
	Set func() string
}

// Watch looks at places and issuers until its context ends.
type Watch struct {
	Places  []Place
	Issuers []Issuer
	// Record takes an event without its time; identifiers are those of the wire. Began of what
	// is published is how long ago a set was found before, where that was long.
	Record func(history.Event)
	// Every is how often each is looked at; 0 is the constant Every.
	Every time.Duration
	// Unseen is how many looks in a row must fail to be told of as one that cannot be
	// looked at, as is the first that does not after that; 0: never.
	Unseen int
	// Now is the time, and Sleep waits; nil are those of the machine.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Run looks until ctx ends, at all places at the same time: one that is slow
// holds up no other.
func (w *Watch) Run(ctx context.Context) {
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.Sleep == nil {
		w.Sleep = world.WallClock{}.Sleep
	}
	if w.Every == 0 {
		w.Every = Every
	}
	var tasks sync.WaitGroup
	for _, p := range w.Places {
		seen := newLastLook(w, p)
		tasks.Go(func() { w.repeat(ctx, seen.look) })
	}
	for _, i := range w.Issuers {
		seen := &signing{watch: w, issuer: i, lost: failedLook{service: i.Service, watch: w}}
		tasks.Go(func() { w.repeat(ctx, seen.look) })
	}
	tasks.Wait()
}

// LookLast looks once at each place that may rest, all at the same time: when nobody's answer can
// depend on it any more, a look at a cache does no harm.
func (w *Watch) LookLast(ctx context.Context) {
	var tasks sync.WaitGroup
	for _, p := range w.Places {
		if p.Rests == nil {
			continue
		}
		tasks.Go(func() {
			found := KeySet(ctx, p.URL())
			if ctx.Err() != nil {
				return // the end of the run, not of the place
			}
			found.Looks, found.Slowest = 1, found.Took
			w.Record(history.Event{Kind: history.KindLooked, Service: p.Service, Reader: p.Reader, Set: &found})
		})
	}
	tasks.Wait()
}

func (w *Watch) repeat(ctx context.Context, look func(context.Context)) {
	for ctx.Err() == nil {
		look(ctx)
		if w.Sleep(ctx, w.Every) != nil {
			return
		}
	}
}

// failedLook records that a party cannot be looked at, and when it can be again.
type failedLook struct {
	service string
	watch   *Watch
	failed  int // looks in a row
}

// looked takes what came of one look.
func (u *failedLook) looked(err error) {
	told := u.watch.Unseen > 0 && u.failed >= u.watch.Unseen
	switch {
	case err == nil:
		u.failed = 0
		if told {
			u.watch.Record(history.Event{Kind: history.KindUnseen, Service: u.service})
		}
	case !told:
		if u.failed++; u.failed == u.watch.Unseen {
			u.watch.Record(history.Event{Kind: history.KindUnseen, Service: u.service, Detail: err.Error()})
		}
	}
}

// lastLook is what was found at one place until now.
type lastLook struct {
	place  Place
	watch  *Watch
	lost   failedLook
	last   *history.KeySet // nil: nothing yet
	set    *history.KeySet // the last that was one
	before []*history.KeySet
	told   time.Time
	pause  pause
	found  time.Time // when a set was found last
}

func newLastLook(w *Watch, p Place) *lastLook {
	return &lastLook{place: p, watch: w, lost: failedLook{service: p.Service, watch: w}}
}

// maxBefore bounds how many sets of a place are remembered.
const maxBefore = 8

// look looks once, and tells of it where that says something new.
func (s *lastLook) look(ctx context.Context) {
	if s.place.Rests != nil && s.place.Rests() {
		return
	}
	if s.pause.lasts(s.watch.Now()) {
		return
	}
	found := KeySet(ctx, s.place.URL())
	if ctx.Err() != nil {
		return // the end of the run, not of the place
	}
	s.pause.after(found.Status, s.watch)
	s.lost.looked(Unreadable(s.place.Service, &found))
	s.take(&found)
}

// pause is the time between two looks at a place that answered that too much is asked (RFC
// 6585 §4): it doubles with each such answer, up to longestPause, since what the harness asks is taken
// from those who are rehearsed.
type pause struct {
	length time.Duration
	until  time.Time
}

const longestPause = 5 * time.Second

// lasts reports whether it is not over yet.
func (p *pause) lasts(now time.Time) bool { return now.Before(p.until) }

// after takes what came of a look.
func (p *pause) after(status string, w *Watch) {
	if status == strconv.Itoa(http.StatusTooManyRequests) {
		p.length = min(max(2*p.length, 2*w.Every), longestPause)
	}
	p.until = w.Now().Add(p.length)
}

// Unreadable says why what was found where a service has its key set is none; nil: it is one.
func Unreadable(service string, found *history.KeySet) error {
	if found.Readable() {
		return nil
	}
	return fmt.Errorf("look at the key set of %s: the answer is %s", service, found.Status)
}

// take compares what was found with what was there before.
func (s *lastLook) take(found *history.KeySet) {
	before := s.found
	if found.Readable() {
		s.found = s.watch.Now()
	}
	found.Looks, found.Slowest = 1, found.Took
	changed := s.last == nil || !s.last.Same(found)
	if !changed {
		found.Looks, found.Slowest = s.last.Looks+1, max(s.last.Slowest, found.Took)
	}
	if found.Readable() && (s.set == nil || !s.set.Same(found)) {
		for _, earlier := range s.before {
			found.Again = found.Again || earlier.Same(found)
		}
		if s.set != nil {
			s.remember(s.set)
		}
		s.set = found
	}
	kept := s.last != nil && found.Kept > s.last.Kept
	if s.last != nil { // an answer that the cache had to fetch says nothing of it
		found.Kept, found.OnError = max(found.Kept, s.last.Kept), max(found.OnError, s.last.OnError)
	}
	crossed := s.last != nil && (s.last.Took < history.Offset(slow)) != (found.Took < history.Offset(slow))
	s.last = found
	now := s.watch.Now()
	if !changed && !crossed && !kept && now.Sub(s.told) < tellEvery {
		return
	}
	s.told = now
	ago := history.Offset(0)
	if since := now.Sub(before); !before.IsZero() && since > seldom*s.watch.Every {
		ago = history.Offset(since)
	}
	told := *found
	s.watch.Record(history.Event{Kind: history.KindLooked, Service: s.place.Service, Reader: s.place.Reader, Set: &told})
	if changed && s.place.Tells && found.Readable() {
		s.watch.Record(history.Event{Kind: history.KindPublished, Service: s.place.Service, Credentials: told.Credentials(), Began: ago})
	}
	next := *found
	next.Looks, next.Slowest, next.Again = 0, 0, false
	s.last = &next
}

// remember keeps a set that was found earlier, each once.
func (s *lastLook) remember(set *history.KeySet) {
	for _, earlier := range s.before {
		if earlier.Same(set) {
			return
		}
	}
	s.before = append(s.before, set)
	if len(s.before) > maxBefore {
		s.before = s.before[1:]
	}
}
