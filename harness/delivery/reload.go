package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// reloading is an external consumer that does not notice changes, and is made to reload some time after
// one.
type reloading struct {
	service string
	after   time.Duration // wall
	queue   chan fileUpdate
	emits   bool   // so that which credential is emitted is news to it too
	last    string // what it uses of what it has, or will have
	reload  func(context.Context) error
}

// keysOf is the part of a document that concerns pure validators: which credential is emitted is no
// news to them.
func keysOf(document map[string]any) string {
	encoded, err := json.Marshal(document["keys"])
	if err != nil {
		return "" // it came as JSON
	}
	return string(encoded)
}

// uses is what of a document concerns one of these.
func (r *reloading) uses(document map[string]any) string {
	if r.emits {
		return keysOf(document) + fmt.Sprint(document["emit"])
	}
	return keysOf(document)
}

// announce schedules the reloads for a changed document; the caller holds the turn.
func (d *Delivery) announce(p published) error {
	for _, r := range d.reloads {
		uses := r.uses(p.document)
		if uses == r.last {
			continue
		}
		r.last = uses
		select {
		case r.queue <- fileUpdate{nil, p.identifier(), nil, time.Now().Add(r.after)}:
		default:
			return fmt.Errorf("reload %s: %d changes are on their way already", r.service, parcels)
		}
	}
	return nil
}

// await reloads a consumer whenever a reload is due, until ctx ends.
func (d *Delivery) await(ctx context.Context, r *reloading) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-r.queue:
			if (world.WallClock{}).Sleep(ctx, time.Until(p.due)) != nil {
				return
			}
			d.reload(ctx, r.service, p.identifier, r.reload)
		}
	}
}

// reload makes a consumer reload, and records it.
func (d *Delivery) reload(ctx context.Context, service, identifier string, reload func(context.Context) error) {
	began := time.Now()
	if err := reload(ctx); err != nil {
		if ctx.Err() == nil {
			d.hooks.Trouble(fmt.Errorf("reload %s: %w", service, err))
		}
		return
	}
	d.hooks.Wrote(service, history.Reload, identifier, began)
}

// prepareReloads prepares the reloads of each consumer that needs them.
func (d *Delivery) prepareReloads(p *plan.Plan, runtime world.Runtime) error {
	for _, s := range p.Instances() {
		if s.Reload == nil || s.Pinned {
			continue
		}
		reload, err := reloader(s, runtime)
		if err != nil {
			return err
		}
		if runbook.Way(s.Distribution) != runbook.File || d.reloadsLater(p, s) {
			d.reloads = append(d.reloads, &reloading{
				service: s.Name, after: p.Wall(s.Reload.After.Duration()), queue: make(chan fileUpdate, parcels), reload: reload,
				emits: s.Consumer != nil && s.Consumer.Has(runbook.Emits),
			})
			continue
		}
		for _, f := range d.files {
			if f.service == s.Name {
				f.reload = reload
			}
		}
	}
	return nil
}

// reloadsLater reports whether a service reloads some time after its files were written, and not at
// once.
func (d *Delivery) reloadsLater(p *plan.Plan, s plan.Service) bool {
	return p.Wall(s.Reload.After.Duration()) > d.delayOf(p, s)
}

// reloader is the way in which a service is made to reload.
func reloader(s plan.Service, runtime world.Runtime) (func(context.Context) error, error) {
	switch {
	case s.Reload.Signal != "":
		signaller, ok := runtime.(world.Signaller)
		if !ok {
			return nil, fmt.Errorf("the runtime %s cannot signal %s: reload it in another way", runtime.Name(), s.Name)
		}
		return func(ctx context.Context) error { return signaller.Signal(ctx, s.Name, s.Reload.Signal) }, nil
	case s.Reload.HTTP != nil:
		return func(ctx context.Context) error { return call(ctx, runtime.URL(s.Name, false), *s.Reload.HTTP) }, nil
	}
	redeployer, ok := runtime.(world.Redeployer)
	if !ok {
		return nil, fmt.Errorf("the runtime %s cannot start %s anew: reload it in another way", runtime.Name(), s.Name)
	}
	return func(ctx context.Context) error { return redeployer.Redeploy(ctx, s.Name, nil) }, nil
}

// callTimeout bounds one request by which a service reloads.
const callTimeout = 5 * time.Second

// caller sends these requests, without a proxy of the environment and without following redirects.
var caller = &http.Client{
	Timeout: callTimeout, Transport: certs.Trusting(&http.Transport{DisableKeepAlives: true}),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// call sends the request by which a service reloads, and requires success: a redirect, as to a login
// page, is no reload.
func call(ctx context.Context, base string, request scenario.Request) error {
	method := request.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, base+request.Path, strings.NewReader(request.Body))
	if err != nil {
		return err
	}
	for name, value := range request.Headers {
		req.Header.Set(name, value)
	}
	resp, err := caller.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s answered %s", method, request.Path, resp.Status)
	}
	return nil
}
