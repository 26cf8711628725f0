package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// seconds are wall time.
func seconds(s float64) history.Offset { return history.Offset(s * float64(time.Second)) }

// seen is a view in which parties did what they do every so often from a moment on,
// until another.
type seen struct{ view *history.View }

func (s seen) fetches(name string, from, every, until float64) seen {
	for at := from; at <= until; at += every {
		s.view.Apply(history.Event{At: seconds(at), Kind: history.KindFetched, Service: name})
	}
	return s
}

func (s seen) reads(name, what string, from, every, until float64) seen {
	for at := from; at <= until; at += every {
		s.view.Apply(history.Event{At: seconds(at), Kind: history.KindRead, Service: "store", Reader: name, What: what})
	}
	return s
}

// worst is the moment of [from, until] that is accepted at, as a rotation finds it
// that looks every 50 ms and sees what happens as it happens.
func worst(t *testing.T, l Limits, from, until float64, at func(now float64) seen) float64 {
	t.Helper()
	for now := from; now <= until+1; now += 0.05 {
		m := l.Timing().AcceptAt(at(now).view, seconds(now), seconds(until))
		if m.Known && m.Now {
			return now
		}
	}
	t.Fatalf("no moment between %g and %g is the worst", from, until)
	return 0
}

func TestTheWorstMomentIsTheWorst(t *testing.T) {
	t.Parallel()
	wall := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	emitters := []Emitter{{Name: "auth", OnPage: true, Refresh: wall(2)}}
	for _, tt := range []struct {
		name      string
		validator Validator
		emitters  []Emitter
		at        func(now float64) seen
		want      float64 // how late it learns of what is accepted then, at the least
		learned   func(accepted float64) float64
	}{
		// Polls at 0.5, 2.5, …, fetches at 0, 10, 20: accepted just after 8.5 it is published
		// at 10.5, just after the fetch at 10, and learned at 20.
		{"a fetch just before it is published", Validator{Name: "search", From: "auth", Learns: wall(10), Forgets: wall(10)}, emitters,
			func(now float64) seen {
				return seen{history.NewView()}.fetches("search", 0, 10, now).reads("auth", "secret/key", 0.5, 2, now)
			},
			11, func(accepted float64) float64 { return next(next(accepted, 0.5, 2), 0, 10) }},
		// The cache fills at the first fetch after 25 s: at 0, 30, 60; what is published just
		// after 30 is learned at 60, and just after any other fetch at most 20 later.
		{"a shared cache that has just been filled", Validator{Name: "search", From: "auth", Via: "edge", Shared: wall(25), Learns: wall(10), Forgets: wall(10)}, emitters,
			func(now float64) seen {
				return seen{history.NewView()}.fetches("search", 0, 10, now).reads("edge", "jwks", 0, 30, now).reads("auth", "secret/key", 0.5, 2, now)
			},
			31, func(accepted float64) float64 { return next(next(accepted, 0.5, 2), 0, 30) }},
		{"a gateway that fetches for it", Validator{Name: "search", From: "auth", Blind: true, Through: "gate", Learns: wall(10), Forgets: wall(10)}, emitters,
			func(now float64) seen {
				return seen{history.NewView()}.fetches("gate", 0, 10, now).reads("auth", "secret/key", 0.5, 2, now)
			},
			11, func(accepted float64) float64 { return next(next(accepted, 0.5, 2), 0, 10) }},
		// Only the next four seconds of polls are followed, and the fetch is further away.
		{"polls that are more than are followed", Validator{Name: "search", From: "auth", Learns: wall(10), Forgets: wall(10)}, []Emitter{{Name: "auth", OnPage: true, Refresh: wall(0.01)}},
			func(now float64) seen {
				return seen{history.NewView()}.fetches("search", 0, 10, now).reads("auth", "secret/key", 0, 0.01, now)
			},
			9.5, func(accepted float64) float64 { return next(accepted, 0, 10) }},
		{"nobody polls", Validator{Name: "hook", Reads: true, Learns: wall(10), Forgets: wall(10)}, nil,
			func(now float64) seen { return seen{history.NewView()}.fetches("hook", 3, 10, now) },
			9.5, func(accepted float64) float64 { return next(accepted, 3, 10) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := Limits{Speed: 1, Validators: []Validator{tt.validator}, Emitters: tt.emitters}
			for _, from := range []float64{10.05, 14.2, 21.7, 33.3} {
				accepted := worst(t, l, from, from+l.LooksAhead().Duration().Seconds()+1, tt.at)
				if late := tt.learned(accepted) - accepted; late < tt.want {
					t.Errorf("from %g: accepted at %.2f, learned %.2f later, want at least %g", from, accepted, late, tt.want)
				}
			}
		})
	}
}

// next is the first of from, from+every, … at or after a moment.
func next(at, from, every float64) float64 {
	for from < at {
		from += every
	}
	return from
}

// TestMomentsThatCannotBeHadTogether says whose is missed, and who was not seen.
func TestMomentsThatCannotBeHadTogether(t *testing.T) {
	t.Parallel()
	l := Limits{Speed: 1, Validators: []Validator{
		{Name: "quick", Reads: true, Learns: 4 * time.Second, Forgets: 4 * time.Second},
		{Name: "slow", Reads: true, Learns: 10 * time.Second, Forgets: 10 * time.Second},
		{Name: "silent", Reads: true, Learns: 5 * time.Second, Forgets: 5 * time.Second},
		{Name: "untold", Reads: true, Untold: true, Learns: 50 * time.Second, Forgets: 50 * time.Second},
	}}
	// Slow fetches at 0, 10, 20 and quick at 2, 6, 10.5, …: never just after slow has.
	at := func(now float64) seen {
		return seen{history.NewView()}.fetches("slow", 0, 20, now).fetches("slow", 10, 20, now).fetches("quick", 3, 4, now)
	}
	var m Moment
	timing := l.Timing()
	for now := 20.0; now < 45; now += 0.05 {
		if m = timing.AcceptAt(at(now).view, seconds(now), seconds(32)); m.Now {
			break
		}
	}
	if missed := timing.Missed(); !slices.Equal(missed, []string{"quick"}) || !slices.Equal(m.Unseen, []string{"silent"}) {
		t.Errorf("missed %v, unseen %v; want quick and silent", missed, m.Unseen)
	}
}

// TestUntimed: of whom nobody tells when it takes what is published is said so.
func TestUntimed(t *testing.T) {
	l := Limits{Validators: []Validator{
		{Name: "seen", OnPage: true}, {Name: "own", OnPage: true, Blind: true}, {Name: "behind", OnPage: true, Blind: true, Through: "gate"},
		{Name: "other", Blind: true}, {Name: "db", OnPage: true, Blind: true, Authority: true},
	}}
	if got := l.Untimed(); !slices.Equal(got, []string{"own"}) {
		t.Errorf("got %v, want own", got)
	}
}
