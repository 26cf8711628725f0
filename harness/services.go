package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// The names of the services that a run adds to those of its plan.
const (
	storeService = history.Store
	loadService  = "load"
)

// specs splits the services of a plan, and the load, into those that must be
// ready before the first credential is made and the others.
func (r *run) specs(ctx context.Context) (authorities, others []world.Spec, err error) {
	first := family.Authorities(r.plan)
	for _, s := range r.plan.Instances() {
		spec, err := r.spec(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(first, r.names.Whole(s.Name)) {
			authorities = append(authorities, spec)
		} else {
			others = append(others, spec)
		}
	}
	if len(r.plan.Rehearsal.Load) > 0 {
		specs, err := r.loadSpecs()
		if err != nil {
			return nil, nil, err
		}
		others = append(others, specs...)
	}
	trust, err := r.trust()
	if err != nil {
		return nil, nil, err
	}
	for _, specs := range [][]world.Spec{authorities, others} {
		for i := range specs {
			if err := r.adapt(&specs[i]); err != nil {
				return nil, nil, err
			}
			specs[i].Control = r.graph.Token()
			if specs[i].Serve == "" {
				continue
			}
			if specs[i].Trust = trust; !specs[i].HTTPS {
				continue
			}
			if specs[i].Trust, err = r.ownTrust(specs[i].Name); err != nil {
				return nil, nil, err
			}
		}
	}
	proxies, err := r.graph.Proxies(r.filledIn)
	if err != nil {
		return nil, nil, err
	}
	return r.balanced(authorities), append(r.balanced(others), proxies...), nil
}

// trust is the certificate with which stand-ins and the load call services by TLS (world.Spec); ""
// where none of the plan speaks it.
func (r *run) trust() (string, error) {
	if !slices.ContainsFunc(r.plan.Services, func(s plan.Service) bool { return s.HTTPS }) {
		return "", nil
	}
	trust, err := certs.Given()
	if err != nil {
		return "", err
	}
	return r.encoded(trust)
}

// ownTrust is trust of a stand-in that speaks TLS itself.
func (r *run) ownTrust(service string) (string, error) {
	trust, err := r.issued(service)
	if err != nil {
		return "", err
	}
	trust.Serve = true
	return r.encoded(trust)
}

// issued is a certificate of a service's own, with whom it can trust.
func (r *run) issued(service string) (certs.Trust, error) {
	trust, err := certs.Given()
	if err != nil {
		return certs.Trust{}, err
	}
	trust.Pair, err = certs.Issue(r.graph.Names(service)...)
	return trust, err
}

// encoded is trust as stand-ins read it; its key is kept out of all that is written.
func (r *run) encoded(trust certs.Trust) (string, error) {
	r.secrets = append(r.secrets, trust.Key)
	encoded, err := json.Marshal(trust)
	if err != nil {
		return "", fmt.Errorf("encode a certificate: %w", err)
	}
	return string(encoded), nil
}

// filledIn is the address of a service in settings that the runtime does not fill in.
func (r *run) filledIn(service string) string {
	if service == storeService {
		return r.storeURL
	}
	return ""
}

// spec is a service of the plan as a runtime starts it.
func (r *run) spec(ctx context.Context, s plan.Service) (world.Spec, error) {
	if s.External() {
		return r.externalSpec(ctx, s)
	}
	spec := world.Spec{Name: s.Name, Serve: s.Serve, Config: s.Config, Needs: s.Needs, HTTPS: s.HTTPS}
	if program, runs := server.Programs[s.Serve]; runs {
		var err error
		if spec, err = r.withProgram(ctx, spec, program); err != nil {
			return world.Spec{}, err
		}
	}
	if !s.Reads {
		return spec, nil
	}
	if s.Distribution != runbook.Poll {
		r.delivery.Configure(&spec, s)
		return spec, nil
	}
	page := r.plan.Runbook.Storage.Publish.Path
	token, err := r.store.Token(ctx, s.Name, store.Below(page))
	if err != nil {
		return world.Spec{}, err
	}
	r.secrets = append(r.secrets, token)
	spec.Config = contract.Copy(spec.Config)
	contract.PublishedTo(spec.Config).Store = &contract.Stored{URL: r.storeURL, Token: token, Path: r.store.Path(page)}
	return spec, nil
}

// withProgram is a stand-in that runs a third-party program: the installed one, or that of an image.
func (r *run) withProgram(ctx context.Context, spec world.Spec, program server.Program) (world.Spec, error) {
	if r.images == nil {
		path, err := program.Find()
		if err != nil {
			return world.Spec{}, err
		}
		spec.Config = contract.Copy(spec.Config)
		runs := contract.ServerOf(spec.Config)
		runs.Program, runs.Folder = path, leftover.FolderName(r.leftovers.Run())+spec.Name
		folder := filepath.Join(os.TempDir(), runs.Folder)
		r.written = append(r.written, folder)
		return spec, r.leftovers.AddFolder(folder)
	}
	image, err := r.images.Image(ctx, program.Images...)
	if err != nil {
		return world.Spec{}, program.Missing(err)
	}
	spec.Base = image
	return spec, nil
}

// loadSpec is the whole load as one service.
func (r *run) loadSpec() (world.Spec, error) {
	p := r.plan
	spec := world.Spec{Name: loadService, Serve: "load"}
	config := load.Config{Name: loadService, Seed: p.Seed}
	for i, c := range p.Rehearsal.Load {
		begins, _ := c.Pace()
		client := load.ClientConfig{
			Name: c.Client, To: c.To, URL: contract.AddressOf(c.To), Rate: float64(begins), Most: float64(c.Most()), Sessions: c.Sessions,
			Method: c.Request.Method, Path: c.Request.Path, Headers: c.Request.Headers, Body: c.Request.Body, Protocol: protocol.Protocol(c.Request.Protocol),
			Timeout: load.Duration(c.Timeout.Duration()),
		}
		if c.Endpoint != "" && p.Rehearsal.Services[c.To].Serve != "" { // our own sender delivers for the run only
			client.Headers = map[string]string{"Authorization": "Bearer " + r.graph.Token()}
			maps.Copy(client.Headers, c.Request.Headers)
		}
		if shown := p.Rehearsal.Services[c.To].Refusal; shown != nil {
			client.AuthFailure = shown.Signs()
		}
		spec.Needs = append(spec.Needs, c.To)
		switch t := c.Token; {
		case t == nil:
		case t.File != "":
			value, err := r.presented(i, t.File)
			if err != nil {
				return world.Spec{}, err
			}
			client.Token = &load.TokenConfig{Value: value, Header: t.Header}
		default:
			client.Token = &load.TokenConfig{
				URL: contract.AddressOf(t.From), TokenCall: r.filled(t.TokenCall), Issuer: t.Issuer, Audience: t.Audience, Claims: claimsOf(t), Header: t.Header,
				Life: load.Duration(p.Wall(t.Life.Duration())), RenewAt: t.RenewAt, OnRefusal: load.OnRefusal(t.OnRefusal),
			}
			spec.Needs = append(spec.Needs, t.From)
		}
		config.Clients = append(config.Clients, client)
	}
	slices.Sort(spec.Needs)
	spec.Needs = slices.Compact(spec.Needs)
	spec.Config = &config
	return spec, nil
}
