package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
)

// traffic is the load of a run: its counts enter the history while it runs.
type traffic struct {
	run      *run
	client   loader          // nil: the scenario has no load
	ctx      context.Context // of what goes on beside the rotation; ended by end
	echoes   []echo
	cancel   context.CancelFunc
	tasks    sync.WaitGroup
	streamed chan bool // whether the stream came to its end; one value
}

// loader is the load, as *load.Shards speaks to it.
type loader interface {
	Start(ctx context.Context) error
	Stream(ctx context.Context, deliver func(load.Batch) error) error
	SetRate(ctx context.Context, client string, rate float64) error
	Stop(ctx context.Context) (history.Totals, error)
}

func (r *run) newTraffic() *traffic {
	t := &traffic{run: r, cancel: func() {}, streamed: make(chan bool, 1)}
	if len(r.plan.Rehearsal.Load) > 0 {
		clients := r.loadClients()
		t.echoes = r.echoes(clients)
		shards := load.NewShards(*r.load, clients, func(l load.Loss) {
			t.echoes[l.Shard].lost() // its silence is already known
			r.lost(l)
		})
		t.client = shards
		r.ended.mu.Lock()
		r.ended.tell = shards.Gone
		r.ended.mu.Unlock()
	}
	return t
}

// start begins the load, and the counting of an authority's decisions.
func (t *traffic) start(ctx context.Context) error {
	// Neither ends with ctx: requests under way then are counted too.
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.ctx, t.cancel = background, cancel
	t.tasks.Go(func() { t.run.logs.FlushEvery(background) })
	if t.client == nil {
		return nil
	}
	if err := t.client.Start(ctx); err != nil {
		return err
	}
	t.compareClocks(ctx)
	for _, e := range t.echoes {
		t.tasks.Go(func() { e.listen(background, t.run) })
	}
	t.tasks.Go(func() {
		err := t.client.Stream(background, t.deliver)
		if err != nil && !errors.Is(err, load.ErrLost) && background.Err() == nil {
			t.run.trouble(err)
		}
		t.streamed <- err == nil
	})
	return nil
}

// deliver records what load counted.
func (t *traffic) deliver(b load.Batch) error {
	r := t.run
	for _, c := range b.Counts {
		r.evidence.Record(c.Event(r.recorder.Offset, r.names.Credential(c.Credential)))
	}
	for _, s := range b.Sessions {
		r.evidence.Record(s.Event(r.recorder.Offset))
	}
	for _, s := range b.Strains {
		r.evidence.Record(s.Event(r.recorder.Offset))
	}
	for _, late := range b.Behind {
		r.evidence.Record(late.Event(r.recorder.Offset))
	}
	return nil
}

// stop ends load and returns what it sent, once all its counts are in the history. It returns nil where
// that is unknown: a broken stream, or a lost process, is in the history already.
func (t *traffic) stop(ctx context.Context) *history.Totals {
	if t.client == nil {
		return &history.Totals{}
	}
	t.compareClocks(ctx)
	totals, err := t.client.Stop(ctx)
	if err != nil {
		t.run.trouble(err)
		return nil
	}
	select {
	case whole := <-t.streamed:
		if !whole {
			return nil
		}
	case <-ctx.Done():
		t.run.trouble(fmt.Errorf("wait for the last counts of load: %w", ctx.Err()))
		return nil
	}
	return &totals
}

// end ends what is still under way and waits for it.
func (t *traffic) end(context.Context) error {
	t.cancel()
	t.tasks.Wait()
	return nil
}
