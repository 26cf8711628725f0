package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// clockWithin bounds how long all shards may take to tell their time.
const clockWithin = 5 * time.Second

// shareLoad chooses how many processes send the load: one, or as many as were asked for and have a
// session each; it names them.
func (r *run) shareLoad() error {
	r.shards = []string{loadService}
	n := r.o.LoadShards
	if n <= 1 || len(r.plan.Rehearsal.Load) == 0 {
		return nil
	}
	if most := mostShards(r.plan); most > 0 && most < n {
		r.o.Progress(fmt.Sprintf("the load has %d sessions with tokens of their own, and is shared by as many processes, not by %d", most, n))
		n = most
	}
	if n == 1 {
		return nil
	}
	r.shards = nil
	for i := range n {
		name := scenario.ReplicaName(loadService, i)
		if slices.ContainsFunc(r.plan.Instances(), func(s plan.Service) bool { return s.Name == name }) {
			return fmt.Errorf("%w: --load-shards starts %s, and a service of the scenario has that name", ErrNotHere, name)
		}
		r.shards = append(r.shards, name)
	}
	for i, f := range r.plan.Rehearsal.Faults {
		if f.On == loadService {
			return fmt.Errorf("%w: faults[%d] is on %s, which --load-shards makes %d processes of: leave one of them out", ErrNotHere, i, loadService, n)
		}
	}
	r.names.Shards(loadService, r.shards)
	return nil
}

// mostShards is the largest number of processes among which a plan's load can be shared with a session
// for each; 0: no limit, where clients have no tokens.
func mostShards(p *plan.Plan) (most int) {
	for _, c := range p.Rehearsal.Load {
		if c.Token == nil || c.Token.File != "" {
			return 0
		}
		most = max(most, c.Sessions)
	}
	return most
}

// loadSpecs are the processes that send the load.
func (r *run) loadSpecs() ([]world.Spec, error) {
	whole, err := r.loadSpec()
	if err != nil {
		return nil, err
	}
	r.load = whole.Config.(*load.Config)
	var specs []world.Spec
	for i, name := range r.shards {
		spec := whole
		spec.Name, spec.Needs, spec.Config = name, slices.Clone(whole.Needs), contract.Copy(whole.Config)
		if config := spec.Config.(*load.Config); len(r.shards) > 1 {
			config.Name, config.Shard = name, load.Shard{Index: i, Of: len(r.shards)}
			spec.Share = world.Share{Of: loadService, Index: i}
			if _, several := r.runtime.(world.Cluster); !several { // of machines
				config.Shard.Here = len(r.shards)
			}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// loadClients speak to the processes that send the load.
func (r *run) loadClients() (clients []*load.Client) {
	for _, name := range r.shards {
		clients = append(clients, &load.Client{URL: r.runtime.URL(name, false), Token: r.graph.Token()})
	}
	return clients
}

// recordShard records an event of a process that sends a part of the load.
func (r *run) recordShard(shard int, what history.Shard, detail string) {
	what.Of = len(r.shards)
	e := history.Event{At: r.evidence.Offset(), Kind: history.KindShard, Service: loadService, Shard: &what, Detail: detail}
	if what.Of > 1 {
		e.Replica = r.shards[shard]
	}
	r.evidence.Record(e)
}

// lost records that such a process is gone.
func (r *run) lost(l load.Loss) {
	what := history.Shard{What: history.ShardLost, Rate: l.Rate}
	if !l.Since.IsZero() {
		what.Since = r.recorder.Offset(l.Since)
	}
	r.recordShard(l.Shard, what, l.Err.Error())
}

// compareClocks records how the clocks of these processes differ from the harness's: their counts are
// ordered by their own times.
func (t *traffic) compareClocks(ctx context.Context) {
	shards, several := t.client.(*load.Shards)
	if !several {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	for i := range t.run.shards {
		ahead, within, err := shards.Clock(ctx, i)
		if err != nil {
			continue // a process that does not answer is reported as lost
		}
		t.run.recordShard(i, history.Shard{What: history.ShardClock, Ahead: micros(ahead), Within: micros(within)}, "")
	}
}

// loadEnd is called when a process of the load ends by itself; it does nothing before load was started.
type loadEnd struct {
	mu   sync.Mutex
	tell func(shard int, err error)
}

// loadEnded tells the load that one of its processes has ended by itself.
func (r *run) loadEnded(service string, err error) {
	if r.names.Whole(service) != loadService {
		return
	}
	r.ended.mu.Lock()
	defer r.ended.mu.Unlock()
	if r.ended.tell != nil {
		r.ended.tell(max(0, slices.Index(r.shards, service)), err)
	}
}

// echo asks one of these processes for an echo.
type echo struct {
	who  string
	ask  func(context.Context) error
	gone context.Context    // ends when it is there no more
	lost context.CancelFunc // ends that
}

// echoes are the echoes of all of them.
func (r *run) echoes(clients []*load.Client) (all []echo) {
	for i, c := range clients {
		who := history.TheLoad
		if len(clients) > 1 {
			who = r.shards[i]
		}
		gone, lost := context.WithCancel(context.Background())
		all = append(all, echo{who, echoAt(c.URL), gone, lost})
	}
	return all
}

// listen asks until the context ends or the process is lost.
func (e echo) listen(ctx context.Context, r *run) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.gone, cancel)()
	r.echo(ctx, e.who, e.ask)
}
