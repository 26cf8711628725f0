package delivery

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// publishing is a family whose steps publish what the test says they do.
type publishing struct{ family.Binding }

func (publishing) Do(context.Context, keyring.Step, string) error { return nil }

func (publishing) Another(context.Context, string) (string, error) { return "v3", nil }

// TestTheNewerIsTheLast has another rotation publish while a step of this one reads
// what is published, and gets it late: what each consumer gets last is the newer.
func TestTheNewerIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, rolled := newTestDelivery("jwt-signing-key")
		d.files = []*fileDelivery{{service: "reader", queue: make(chan fileUpdate, parcels)}}
		d.reloads = []*reloading{{service: "checker", queue: make(chan fileUpdate, parcels)}}
		older, newer := map[string]any{"emit": "v2", "keys": []any{"v2"}}, map[string]any{"emit": "v3", "keys": []any{"v2", "v3"}}
		var reads atomic.Int64
		d.hooks.Published = func(context.Context) (map[string]any, error) {
			if reads.Add(1) > 1 {
				return newer, nil
			}
			time.Sleep(time.Second)
			return older, nil
		}
		steps := d.Steps(publishing{})
		var both sync.WaitGroup
		both.Go(func() {
			if err := steps.Do(t.Context(), keyring.Emit, "k2"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		both.Go(func() {
			if _, err := steps.Another(t.Context(), "k3"); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		for name, queue := range map[string]chan fileUpdate{"file": d.files[0].queue, "reload": d.reloads[0].queue} {
			close(queue)
			var got []string
			for p := range queue {
				got = append(got, p.identifier)
			}
			if want := []string{"v2", "v3"}; !slices.Equal(got, want) {
				t.Errorf("%s: got %q on its way, want %q", name, got, want)
			}
		}
		if n := len(*rolled); n == 0 || !strings.Contains((*rolled)[n-1], `"emit":"v3"`) {
			t.Errorf("environment: got restarts %q, want the last with v3", *rolled)
		}
	})
}

// TestDeliveriesAtOnce is for the race detector: steps and another rotation
// deliver at the same time.
func TestDeliveriesAtOnce(t *testing.T) {
	d, _, _ := newTestDelivery("jwt-signing-key")
	d.files = []*fileDelivery{{service: "reader", queue: make(chan fileUpdate, parcels)}}
	d.reloads = []*reloading{{service: "checker", queue: make(chan fileUpdate, parcels)}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := d.deliver(t.Context()); err != nil {
				t.Error(err)
			}
			d.Restarted("billing")
		})
	}
	all.Wait()
	if n := len(d.files[0].queue); n != 1 {
		t.Errorf("got %d documents on their way, want one: it was news once", n)
	}
}

// TestWaitingForATurnEnds: a delivery that hangs holds up no one whose context ends.
func TestWaitingForATurnEnds(t *testing.T) {
	d, _, _ := newTestDelivery("api-key")
	d.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.deliver(ctx); err == nil || !strings.Contains(err.Error(), "wait for another delivery") {
		t.Errorf("got %v, want what it waited for", err)
	}
}
