package fault

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// called is what the machine was told so far.
func (m *machine) called() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

func TestInjectable(t *testing.T) {
	s, err := bound(planOf(), newMachine(), &diary{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range s.Injectable() {
		got = append(got, i.Kind+" "+i.Target)
		if i.Does == "" {
			t.Errorf("%s on %s: got no word on what it does", i.Kind, i.Target)
		}
	}
	for _, want := range []string{"kill search", "kill store", "pause search", "pause store", "restart search", "restart store"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
	if s, err = bound(planOf(), bare{}, &diary{}); err != nil || len(s.Injectable()) > 0 {
		t.Errorf("a runtime without abilities: got %v and error %v, want nothing", s.Injectable(), err)
	}
}

func TestByHand(t *testing.T) {
	for _, tt := range []struct {
		kind    string
		calls   []string // until it is called off, and after it
		callOff bool     // it lasts until then
	}{
		{"pause", []string{"pause", "unpause"}, true},
		{"kill", []string{"kill", "restart"}, true},
		{"restart", []string{"kill", "restart"}, false},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine()
				s, d := scheduled(t, m)
				if err := s.Inject(t.Context(), tt.kind, "search"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if tt.callOff {
					if err := s.Inject(t.Context(), "pause", "search"); !errors.Is(err, world.ErrNotNow) {
						t.Errorf("a second one at the same place: got %v, want not now", err)
					}
					if len(m.called()) != 1 {
						t.Errorf("before it is called off: got calls %q, want one", m.called())
					}
					if err := s.CallOff(tt.kind, "search"); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(time.Second)
				if !slices.Equal(m.called(), tt.calls) {
					t.Errorf("calls: got %q, want %q", m.called(), tt.calls)
				}
				if got, want := d.stages(), []string{"injected", "evidence", "undone"}; !slices.Equal(got, want) {
					t.Errorf("stages: got %q, want %q", got, want)
				}
				if e := d.find(t, "evidence").Fault; !e.Took || e.By != "operator" {
					t.Errorf("got %+v, want that it took effect, and by whom", e)
				}
				if err := s.CallOff(tt.kind, "search"); !errors.Is(err, world.ErrNotNow) {
					t.Errorf("call off again: got %v, want not now", err)
				}
				if err := s.Undo(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestByHandEndsWithTheRotation leaves a fault to the end of the rotation,
// after which none begins.
func TestByHandEndsWithTheRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		s, d := scheduled(t, m)
		if err := s.Inject(t.Context(), "kill", "search"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := s.Undo(t.Context()); err != nil || !m.up {
			t.Errorf("undo: got %v with the target up: %t, want it up again", err, m.up)
		}
		if at := d.find(t, "undone").At.Duration(); at < time.Minute {
			t.Errorf("undone at %s, want at the end", at)
		}
		if err := s.Inject(t.Context(), "kill", "search"); !errors.Is(err, world.ErrNotNow) {
			t.Errorf("after the end: got %v, want not now", err)
		}
	})
}

// TestCallOffOfTheScenariosOwn takes back what the scenario ordered, before its time is over.
func TestCallOffOfTheScenariosOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		s, d := scheduled(t, m, faultOf("pause", 0, time.Hour))
		s.Begin(t.Context(), history.Emit)
		time.Sleep(10 * time.Second)
		if err := s.CallOff("pause", "search"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if e := d.find(t, "undone"); e.At.Duration() > 11*time.Second || e.Fault.By != "" {
			t.Errorf("got %+v at %s, want it undone at once, and nobody's but the scenario's", e.Fault, e.At.Wall())
		}
		if err := s.Undo(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestByHandRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		s, d := scheduled(t, m)
		for _, tt := range [][2]string{{"kil", "search"}, {"kill", "serch"}} {
			if err := s.Inject(t.Context(), tt[0], tt[1]); err == nil {
				t.Errorf("%s on %s: got no error", tt[0], tt[1])
			}
		}
		m.up = false
		if err := s.Inject(t.Context(), "pause", "search"); !errors.Is(err, world.ErrNotNow) {
			t.Errorf("at a target that is down: got %v, want not now", err)
		}
		if len(m.calls)+len(d.stages()) > 0 {
			t.Errorf("got calls %q and stages %q, want none", m.calls, d.stages())
		}
	})
}
