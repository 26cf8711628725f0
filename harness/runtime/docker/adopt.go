package docker

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strings"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

// Adopt finds the services of a run that still run, by their names.
func Adopt(ctx context.Context, run string) (map[string]launch.Adopted, error) {
	e, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	list, err := e.ContainerList(ctx, client.ContainerListOptions{Filters: client.Filters{}.Add("label", LabelRun+"="+run)})
	if err != nil {
		return nil, fmt.Errorf("list containers of run %s: %w", run, err)
	}
	services := map[string]launch.Adopted{}
	for _, c := range list.Items {
		found, err := e.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		if err != nil {
			return nil, fmt.Errorf("look into container %s: %w", c.ID, err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(found.Container.Name, "/"), "rehearse-"+run+"-")
		name, _, _ = strings.Cut(name, ".") // the number of one that was deployed anew
		a := launch.Adopted{Environment: map[string]string{}}
		for _, variable := range found.Container.Config.Env {
			key, value, _ := strings.Cut(variable, "=")
			a.Environment[key] = value
		}
		if a.Environment[contract.SealedFileVariable] != "" {
			sealed, err := e.unseal(ctx, c.ID)
			if err != nil {
				return nil, err
			}
			maps.Copy(a.Environment, sealed)
		}
		if config, told := a.Environment[contract.Variable]; told {
			a.Config = []byte(config)
		}
		for _, bindings := range found.Container.NetworkSettings.Ports {
			for _, b := range bindings {
				if b.HostPort != "" {
					a.URL = "http://" + netip.AddrFrom4([4]byte{127, 0, 0, 1}).String() + ":" + b.HostPort
				}
			}
		}
		services[name] = a
	}
	return services, nil
}
