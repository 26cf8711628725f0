package harness

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// watchSystem begins to follow logs, finds the credential in use, and begins to
// look at the emitters. All of it ends with the run.
func (r *run) watchSystem(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	r.cleanUp("end the watch on the system", func(context.Context) error {
		cancel()
		tasks.Wait()
		return nil
	})
	decide, follows, err := r.attachment.system.Decide(background, r.logs.Line, r.observed)
	if err != nil {
		return err
	}
	if c := r.attachment.cluster; c != nil {
		follows = append(follows, c.Follow(background, r.observed, func(service, pod string, line []byte) {
			if _, decides := r.plan.Rehearsal.Attach.Decisions[service]; decides {
				decide(service, line)
				return
			}
			r.logs.LineOf(service, pod, line)
		})...)
	}
	since := time.Now()
	for _, e := range r.attachment.endpoints {
		if r.attachment.project == nil {
			break
		}
		for _, m := range r.attachment.project.Members(e.Service) {
			tasks.Go(func() {
				err := r.attachment.project.Follow(background, m.ID, since, func(line []byte) {
					if _, decides := r.plan.Rehearsal.Attach.Decisions[e.Service]; decides {
						decide(e.Service, line) // its lines may hold what nobody else should read
						return
					}
					r.logs.Line(e.Service, line)
				})
				if err != nil {
					r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindExit, Service: e.Service, Detail: err.Error()})
				}
			})
		}
	}
	if err := rotation.Provision(ctx, r.bound, r.evidence); err != nil {
		return err
	}
	for _, follow := range follows {
		tasks.Go(follow)
	}
	r.attachment.system.Meet(ctx)
	r.cleanUp("let go of what probes hold", func(ctx context.Context) error {
		r.attachment.system.Close(ctx)
		return nil
	})
	watch, err := r.attachment.system.Watch(background, r.observed)
	if err != nil {
		return err
	}
	tasks.Go(func() { watch.Run(background) })
	guard, err := r.attachment.system.Guard(background, r.observed)
	if err != nil {
		return err
	}
	tasks.Go(guard)
	return nil
}

// served reads the counters of the system's services, and adds those that can be compared with what was
// sent. A counter that cannot be read is no error: the rules that need it then say that they cannot
// tell.
func (r *run) served(ctx context.Context, all map[string]map[string]int64) {
	if r.attachment == nil || r.attachment.system == nil {
		return
	}
	r.attachment.counters = r.attachment.system.Served(context.WithoutCancel(ctx), r.attachment.before)
	for _, c := range r.attachment.counters {
		if c.Missing == "" && !c.AtLeast {
			all[c.Service] = map[string]int64{"served": c.Served}
		}
	}
}

// counted are the system's counters at the end.
func (r *run) counted() []history.Counter {
	if r.attachment == nil {
		return nil
	}
	return r.attachment.counters
}

// logged reports whether the log of a service is followed; of the run's own services all are.
func (r *run) logged(service string) bool {
	return r.attachment == nil || slices.ContainsFunc(r.attachment.endpoints, func(e world.Endpoint) bool { return e.Service == service && e.Logged })
}
