package harness

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/delivery"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// start brings everything up: the store, the authorities, the first credential,
// and then all others at the same time.
func (r *run) start(ctx context.Context) (err error) {
	if r.attachment != nil {
		return r.attach(ctx)
	}
	if r.runtime, err = r.chooseRuntime(ctx); err != nil {
		return err
	}
	r.outcome.Runtime = r.runtime.Name()
	r.endServices()
	if err := r.checkCluster(ctx); err != nil {
		return err
	}
	if err := r.prepareDelivery(); err != nil {
		return err
	}
	r.cleanUp("end the delivery of files", r.delivery.End)
	var at func(ip string) string
	if locator, able := r.runtime.(world.Locator); able {
		at = locator.ServiceAt
	}
	r.names.Locate(func(service string) string { return r.runtime.URL(service, true) }, at)
	if err := r.openStore(ctx); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if err := r.markUnfinished(); err != nil {
		return err
	}
	authorities, others, err := r.specs(ctx)
	if err != nil {
		return err
	}
	if err := r.startServices(ctx, authorities); err != nil {
		return err
	}
	own := r.family.Bind(family.Backend{
		Plan: r.plan, Store: r.store, Published: store.Below(r.plan.Runbook.Storage.Publish.Path),
		URL: r.runtime.URL, Control: r.graph.Token(), See: r.evidence.See, Token: r.tokenOf(), Type: r.graph.Type,
	})
	r.bound, r.steps = own, r.delivery.Steps(own)
	if holds, is := own.(family.Closer); is {
		r.cleanUp("end the sessions that are held", func(ctx context.Context) error { holds.Close(ctx); return nil })
	}
	if err := rotation.Provision(ctx, r.bound, r.evidence); err != nil {
		return fmt.Errorf("provision the first credential: %w", err)
	}
	if err := r.delivery.Begin(ctx, others); err != nil {
		return err
	}
	if err := r.startServices(ctx, others); err != nil {
		return err
	}
	r.watchParties(ctx)
	return nil
}

// checkCluster refuses a speed at which the cluster's kubelets are too slow for the page; without a
// cluster it prints what is rehearsed instead.
func (r *run) checkCluster(ctx context.Context) error {
	cluster, ok := r.runtime.(world.Cluster)
	if !ok {
		r.sayStandsIn()
		return nil
	}
	if !slices.ContainsFunc(r.plan.Services, func(s plan.Service) bool { return s.Reads && runbook.Mounted(s.Distribution) }) {
		return nil
	}
	sync, known := cluster.Sync(ctx)
	r.o.Progress(fmt.Sprintf("a kubelet looks at its pods at least every %s, %s", sync, known))
	if most := runbook.ScalesTo(sync); r.plan.Speed > most {
		return fmt.Errorf("%w at speed %v: kubelets are not quicker in a rehearsal; at most %.4g", ErrNotHere, r.plan.Speed, math.Floor(most*100)/100)
	}
	return nil
}

// sayStandsIn prints what is rehearsed in place of what only a cluster has.
func (r *run) sayStandsIn() {
	for _, s := range r.plan.Services {
		switch {
		case !s.Reads || !runbook.OfKubernetes(s.Distribution):
		case runbook.Mounted(s.Distribution) && s.Delay > 0:
			r.o.Progress(fmt.Sprintf("there is no kubelet here: %s has a file in the place of its %s, which is written %s later", s.Name, s.Distribution, s.Delay))
		default:
			r.o.Progress(fmt.Sprintf("there is no cluster here: %s has its %s from rehearse", s.Name, s.Distribution))
		}
	}
}

// prepareDelivery prepares the delivery to consumers that do not read the store.
func (r *run) prepareDelivery() (err error) {
	r.delivery, err = delivery.New(r.plan, r.runtime, delivery.Hooks{
		Published: r.published, Wrote: r.delivered, Mounted: r.mounted, Trouble: r.trouble,
	})
	return err
}

// published reads what consumers are to have.
func (r *run) published(ctx context.Context) (map[string]any, error) {
	document, _, err := r.store.Get(ctx, store.Below(r.plan.Runbook.Storage.Publish.Path))
	return document, err
}

// delivered records that a consumer was given what is published.
func (r *run) delivered(service, what, identifier string, began time.Time) {
	r.evidence.Record(history.Event{
		At: r.evidence.Offset(), Began: r.evidence.recorder.Offset(began), Kind: history.KindDelivered,
		Service: r.names.Whole(service), Replica: r.names.Replica(service), What: what,
		Identifier: identifier, Credential: r.names.Credential(identifier),
	})
}

// mounted records that the API server has a credential for a service.
func (r *run) mounted(service string, identifiers []string) {
	for _, identifier := range identifiers {
		r.evidence.Record(history.Event{
			At: r.evidence.Offset(), Kind: history.KindPod, Service: "the Secret or ConfigMap of " + r.names.Whole(service), What: history.PodWritten,
			Identifier: identifier, Credential: r.names.Credential(identifier),
		})
	}
}

// startServices starts services, and records what each external one is; stand-ins record that
// themselves.
func (r *run) startServices(ctx context.Context, specs []world.Spec) error {
	if len(specs) == 0 {
		return nil
	}
	r.started = append(r.started, specs...)
	if err := r.runtime.Start(ctx, specs); errors.Is(err, world.ErrNoImage) || errors.Is(err, world.ErrCannot) {
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	} else if err != nil {
		return err
	}
	for _, spec := range specs {
		if spec.Serve == "" && spec.Name != storeService { // the store says its version
			r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindService, Service: r.names.Whole(spec.Name), Replica: r.names.Replica(spec.Name), Detail: whatIs(spec)})
		}
	}
	return nil
}

// whatIs describes an external service.
func whatIs(spec world.Spec) string {
	switch {
	case spec.Image != "":
		return "image " + spec.Image
	case spec.Build != nil:
		return "an image that was built for it"
	}
	return "command " + spec.Command[0]
}
