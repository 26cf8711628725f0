package harness

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/delivery"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// externalSpec is an external service as a runtime starts it. The run fills in here what the settings
// ask of the run itself; the runtime fills in the addresses of services.
func (r *run) externalSpec(ctx context.Context, s plan.Service) (world.Spec, error) {
	spec := world.Spec{
		Name: s.Name, Image: s.Image, Command: s.Command, Init: s.Init, Needs: s.Needs,
		Environment: s.Environment, Files: s.Files, NewPrivileges: s.NewPrivileges, HTTPS: s.HTTPS, Entrypoint: s.Entrypoint, User: s.User,
	}
	if len(s.Ports) > 0 {
		spec.Port = s.Ports[0]
	}
	if spec.HealthPort, spec.Health = s.Health(); spec.HealthPort == spec.Port {
		spec.HealthPort = 0
	}
	if s.Build != nil {
		build, err := buildOf(r.plan, r.names.Whole(s.Name), *s.Build)
		if err != nil {
			return world.Spec{}, err
		}
		spec.Build = build
	}
	for i, text := range s.Volumes {
		volume, err := r.volume(fmt.Sprintf("services.%s.volumes[%d]", r.names.Whole(s.Name), i), text)
		if err != nil {
			return world.Spec{}, fmt.Errorf("start %s: %w", s.Name, err)
		}
		spec.Volumes = append(spec.Volumes, volume)
	}
	if !s.NeedsImage() && r.plan.File != "" {
		spec.Dir = filepath.Dir(r.plan.File)
	}
	ownPort(&spec, r.names.Whole(s.Name))
	r.delivery.Configure(&spec, s)
	return r.fill(ctx, spec)
}

// volume is the folder that is copied into a service's container.
func (r *run) volume(at, text string) (world.Volume, error) {
	v, err := scenario.ParseVolume(text)
	if err != nil {
		return world.Volume{}, err
	}
	folder, err := r.plan.Folder(at, path.Dir(v.From))
	return world.Volume{From: folder, Name: path.Base(v.From), To: v.To}, err
}

// buildOf is the source from which the image of a service is built.
func buildOf(p *plan.Plan, service string, of scenario.Build) (*world.Build, error) {
	folder, err := p.Folder("services."+service+".build.context", of.Context)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", service, err)
	}
	return &world.Build{Context: folder, Dockerfile: of.Dockerfile}, nil
}

// fill fills in what settings ask of the store, of scaled durations and of the path of the secret's
// file. What they ask of the secret itself the delivery fills in when that is published.
func (r *run) fill(ctx context.Context, spec world.Spec) (world.Spec, error) {
	values := delivery.Values{Speed: r.plan.Speed, StoreURL: r.storeURL}
	if delivery.Asks(spec, "store") {
		page := r.plan.Runbook.Storage.Publish.Path
		token, err := r.store.Token(ctx, spec.Name, store.Below(page))
		if err != nil {
			return world.Spec{}, err
		}
		r.secrets = append(r.secrets, token)
		values.StoreToken, values.StorePath = token, r.store.Path(page)
	}
	if delivery.Asks(spec, "tls") {
		trust, err := r.issued(spec.Name)
		if err != nil {
			return world.Spec{}, err
		}
		r.secrets = append(r.secrets, trust.Key)
		values.TLS = trust
	}
	return values.Fill(spec), nil
}

// presented is the token in a file that a client presents as it is.
func (r *run) presented(i int, file string) (string, error) {
	at := "load[" + strconv.Itoa(i) + "].token.file"
	folder, err := r.plan.Folder(at, path.Dir(file))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", at, err)
	}
	content, err := source.ReadIn(folder, path.Base(file), scenario.MaxToken)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", at, err)
	}
	value := strings.TrimSpace(string(content))
	r.secrets = append(r.secrets, value)
	return value, nil
}
