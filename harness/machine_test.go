package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/machine"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// aRun is as much of a run as records events.
func aRun() (*run, *history.Recorder) {
	recorder := history.NewRecorder(time.Now(), nil)
	return &run{recorder: recorder, evidence: recording{recorder: recorder, probes: &probes{}}}, recorder
}

// told closes a recorder and returns what it has of the machine, of one kind.
func told(t *testing.T, recorder *history.Recorder, what history.MachineKind) []history.Event {
	t.Helper()
	h, err := recorder.Close(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var found []history.Event
	for _, e := range h.Events {
		if e.Kind == history.KindMachine && e.Machine.What == what {
			found = append(found, e)
		}
	}
	return found
}

// TestPressureIsToldWhereItChanges has a kernel whose pressure rises once, in a
// minute: two events, and one at the end.
func TestPressureIsToldWhereItChanges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files bool
		want  int
	}{{"with pressure", true, 2}, {"without", false, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				waited := func() (micros int64) {
					elapsed := time.Since(began)
					return (elapsed/20 + max(0, elapsed-30*time.Second)/2).Microseconds()
				}
				r, recorder := aRun()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				root := fsFunc(func(name string) (fs.File, error) {
					if !tt.files || name != "proc/pressure/cpu" {
						return nil, fs.ErrNotExist
					}
					text := fmt.Appendf(nil, "some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", waited())
					return fstest.MapFS{name: {Data: text}}.Open(name)
				})
				r.watchMachine(machine.NewKernel(root))
				<-ctx.Done()
				if err := r.cleanAll(t.Context()); err != nil {
					t.Fatal(err)
				}
				rises := told(t, recorder, history.MachinePressure)
				if len(rises) != tt.want {
					t.Fatalf("got %+v, want %d", rises, tt.want)
				}
				if tt.want > 0 && (rises[1].At < history.Offset(30*time.Second) || rises[1].At > history.Offset(32*time.Second) || rises[1].Machine.Shares["cpu"] < 0.5) {
					t.Errorf("the rise: got %s %+v, want 0.55 at 31s", rises[1].At.Wall(), rises[1].Machine)
				}
			})
		})
	}
}

// fsFunc makes each file when it is opened, as a kernel does.
type fsFunc func(name string) (fs.File, error)

func (f fsFunc) Open(name string) (fs.File, error) { return f(name) }

// TestEcho has a load that is stopped for a time, one that is gone, and one that answers.
func TestEcho(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ask   func(ctx context.Context, at time.Duration) error
		want  int
		least time.Duration // of all together
	}{
		{"answers", func(context.Context, time.Duration) error { return nil }, 0, 0},
		{"answers with an error", func(context.Context, time.Duration) error { return errors.New("what?") }, 0, 0},
		{"stopped for 7 s", func(ctx context.Context, at time.Duration) error {
			if at < 5*time.Second || at > 12*time.Second {
				return nil
			}
			_ = world.WallClock{}.Sleep(ctx, 12*time.Second-at)
			return ctx.Err()
		}, 1, 6500 * time.Millisecond},
		{"stopped for good", func(ctx context.Context, at time.Duration) error {
			if at < 5*time.Second {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, 3, 24 * time.Second},
		{"gone", func(context.Context, time.Duration) error { return syscall.ECONNREFUSED }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r, recorder := aRun()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				r.echo(ctx, history.TheLoad, func(ctx context.Context) error { return tt.ask(ctx, time.Since(began)) })
				found := told(t, recorder, history.MachineStrained)
				var lost time.Duration
				for _, e := range found {
					lost += e.Machine.Lost.Duration()
					if e.Machine.Who != history.TheLoad || e.Machine.Lost != e.At-e.Machine.From {
						t.Errorf("got %+v at %s, want the load, for the whole stretch", e.Machine, e.At.Wall())
					}
				}
				if len(found) != tt.want || lost < tt.least {
					t.Errorf("got %d for %s, want %d for at least %s", len(found), lost, tt.want, tt.least)
				}
			})
		})
	}
}
