package fault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// scheduled is a schedule of faults on a machine, in a bubble.
func scheduled(t *testing.T, m *machine, faults ...scenario.Fault) (*Schedule, *diary) {
	t.Helper()
	d := &diary{begin: time.Now()}
	s, err := bound(planOf(faults...), m, d)
	if err != nil {
		t.Fatal(err)
	}
	s.site.ask = m.answers
	return s, d
}

func TestLifeOfAFault(t *testing.T) {
	tests := []struct {
		name   string
		fault  scenario.Fault
		calls  []string
		undone time.Duration // wall, since the start; the rotation ends after a minute
	}{
		{"pause for a time", faultOf("pause", 50*time.Second, 100*time.Second), []string{"pause", "unpause"}, 15 * time.Second},
		{"pause until the end", faultOf("pause", 50*time.Second, 0), []string{"pause", "unpause"}, time.Minute},
		{"restart at once", faultOf("restart", 0, 0), []string{"kill", "restart"}, 0},
		{"restart after a time", faultOf("restart", 0, 20*time.Second), []string{"kill", "restart"}, 2 * time.Second},
		{"kill for a time", faultOf("kill", 0, 20*time.Second), []string{"kill", "restart"}, 2 * time.Second},
		{"kill for good", faultOf("kill", 0, 0), []string{"kill"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine()
				s, d := scheduled(t, m, tt.fault)
				s.Begin(t.Context(), history.Accept) // not its phase
				s.Begin(t.Context(), history.Emit)
				time.Sleep(time.Minute)
				if err := s.Undo(t.Context()); err != nil {
					t.Fatalf("undo: %v", err)
				}
				if !slices.Equal(m.calls, tt.calls) {
					t.Errorf("calls: got %q, want %q", m.calls, tt.calls)
				}
				if got, want := d.stages(), []string{"injected", "evidence", "undone"}; !slices.Equal(got, want) {
					t.Fatalf("stages: got %q, want %q", got, want)
				}
				after := time.Duration(tt.fault.At.After) / 10
				if at := d.find(t, "injected").At.Duration(); at < after || at > after+lookAhead || after > lookAhead && at != after {
					t.Errorf("injected at %v, want at %v", at, after)
				}
				const measuring = time.Second // three answers that do not come
				if at := d.find(t, "undone").At.Duration(); at < tt.undone || at > tt.undone+measuring {
					t.Errorf("undone at %v, want at %v", at, tt.undone)
				}
				if e := d.find(t, "evidence").Fault; !e.Took || e.Evidence["during_asked"] == 0 || e.Evidence["before_answered"] == 0 {
					t.Errorf("evidence: got %+v, want that it answered before, was asked meanwhile, and did not answer", e)
				}
				if e := d.find(t, "undone"); e.Fault.Kind != tt.fault.Kind || e.Fault.Target != "search" {
					t.Errorf("got %+v, want the kind %s and the target search", e.Fault, tt.fault.Kind)
				}
			})
		})
	}
}

// A phase does not take its step before the faults that begin with it are there;
// for one that is not to be had it waits a short time only, and for those that
// come later not at all.
func TestBeginWaitsForTheFirstFaults(t *testing.T) {
	hangs := injecting(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	fails := injecting(func(context.Context) error { return errors.New("no such thing") })
	for _, tt := range []struct {
		name  string
		fault Fault // nil: as it is
		after time.Duration
		calls []string // when Begin returns
		most  time.Duration
	}{
		{"at once", nil, 0, []string{"pause"}, lookAhead},
		{"later", nil, 50 * time.Second, nil, 0},
		{"one that fails", fails, 0, nil, lookAhead},
		{"one that hangs", hangs, 0, nil, beginWithin},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine()
				s, _ := scheduled(t, m, faultOf("pause", tt.after, 100*time.Second))
				if tt.fault != nil {
					s.waiting[0].Fault = tt.fault
				}
				began := time.Now()
				s.Begin(t.Context(), history.Emit)
				if took := time.Since(began); took > tt.most {
					t.Errorf("Begin took %s, want %s at most", took, tt.most)
				}
				if m.mu.Lock(); !slices.Equal(m.calls, tt.calls) {
					t.Errorf("calls when it returned: got %q, want %q", m.calls, tt.calls)
				}
				m.mu.Unlock()
				if err := s.Undo(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// injecting is a fault of which only the injection is of interest.
type injecting func(context.Context) error

func (f injecting) Inject(ctx context.Context) error             { return f(ctx) }
func (injecting) Undo(context.Context) error                     { return nil }
func (injecting) Ends(time.Duration) Ending                      { return AtEnd }
func (injecting) Measure(context.Context, time.Duration) Reading { return Reading{} }
func (injecting) Took(_, _ Reading) bool                         { return false }
func (injecting) Back(_, _ Reading) bool                         { return true }

func TestTargetThatWasDownBeforeIsNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		m.up = false
		s, d := scheduled(t, m, faultOf("pause", 0, 20*time.Second))
		s.Begin(t.Context(), history.Emit)
		time.Sleep(time.Minute)
		if err := s.Undo(t.Context()); err != nil {
			t.Fatalf("undo: %v", err)
		}
		if e := d.find(t, "evidence").Fault; e.Took {
			t.Errorf("got %+v, want no effect: it gave no answer before either", e)
		}
	})
}

func TestUndoneWhenTheRunIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		s, d := scheduled(t, m, faultOf("pause", 0, time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		s.Begin(ctx, history.Emit)
		time.Sleep(10 * time.Second)
		cancel()
		if err := s.Undo(t.Context()); err != nil {
			t.Fatalf("undo: %v", err)
		}
		if at := d.find(t, "undone").At.Duration(); at > 11*time.Second || !m.up {
			t.Errorf("undone at %v with the target up: %t; want at 10s and up", at, m.up)
		}
	})
}

func TestInterruptedInItsMeasurement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		m.inert = true
		s, d := scheduled(t, m, faultOf("pause", 0, time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		s.Begin(ctx, history.Emit)
		time.Sleep(500 * time.Microsecond) // it is injected: within the first ask during it
		cancel()
		if err := s.Undo(t.Context()); err != nil {
			t.Fatalf("undo: %v", err)
		}
		if e := d.find(t, "evidence").Fault; e.Took || e.Evidence["during_asked"] != 0 {
			t.Errorf("got %+v, want no evidence: what was cut off says nothing", e)
		}
	})
}

func TestFailures(t *testing.T) {
	broken := errors.New("engine is gone")
	t.Run("of the injection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine()
			m.fail["kill"] = broken
			m.fail["restart"] = errors.New("it is still running")
			s, d := scheduled(t, m, faultOf("kill", 0, time.Minute))
			s.Begin(t.Context(), history.Emit)
			time.Sleep(10 * time.Second)
			if err := s.Undo(t.Context()); err != nil {
				t.Errorf("undo: got %v, want none: the target answers", err)
			}
			if got, want := d.stages(), []string{"failed", "undone"}; !slices.Equal(got, want) {
				t.Errorf("stages: got %q, want %q", got, want)
			}
			if e := d.find(t, "failed").Fault; !strings.Contains(e.Detail, broken.Error()) {
				t.Errorf("detail: got %q, want %q in it", e.Detail, broken)
			}
		})
	})
	t.Run("of the undoing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine()
			m.fail["unpause"] = broken
			s, d := scheduled(t, m, faultOf("pause", 0, 0))
			s.Begin(t.Context(), history.Emit)
			time.Sleep(10 * time.Second)
			if err := s.Undo(t.Context()); !errors.Is(err, broken) {
				t.Errorf("undo: got %v, want %v in its chain", err, broken)
			}
			d.find(t, "failed")
		})
	})
	t.Run("to come back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine()
			s, d := scheduled(t, m, faultOf("pause", 0, 0))
			s.Begin(t.Context(), history.Emit)
			time.Sleep(10 * time.Second)
			m.freeze() // unpause says that it worked, and the target stays silent
			if err := s.Undo(t.Context()); err == nil {
				t.Error("undo: got no error, want that the target gives no answer")
			}
			d.find(t, "failed")
		})
	})
}

func TestFaultWhoseTimeDidNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		late, other := faultOf("pause", time.Hour, 0), faultOf("kill", 0, 0)
		other.At.Phase = "watch"
		s, d := scheduled(t, m, late, other)
		s.Begin(t.Context(), history.Emit)
		time.Sleep(time.Second)
		if err := s.Undo(t.Context()); err != nil {
			t.Fatalf("undo: %v", err)
		}
		if got, want := d.stages(), []string{"failed", "failed"}; !slices.Equal(got, want) {
			t.Errorf("stages: got %q, want %q: neither has shown anything", got, want)
		}
		if len(m.calls) != 0 {
			t.Errorf("calls: got %q, want none", m.calls)
		}
	})
}

func TestUndoIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		s, _ := scheduled(t, m, faultOf("pause", 0, 0))
		s.Begin(t.Context(), history.Emit)
		time.Sleep(10 * time.Second)
		m.freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Undo(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("undo: got %v, want the end of the context", err)
		}
		time.Sleep(undoWithin) // the life that was left behind ends by itself
	})
}
