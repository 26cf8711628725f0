package harness

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// balanced puts a balancer under the name of each service that has replicas and takes
// requests, before them: whoever calls it reaches one of them. Who needs a service that
// takes none needs its replicas.
//
//	presenter ─► shop, the balancer ─┬─► shop-1
//	                                 └─► shop-2
func (r *run) balanced(specs []world.Spec) []world.Spec {
	for _, s := range r.plan.Services {
		replicas := r.plan.ReplicasOf(s.Name)
		if !slices.ContainsFunc(specs, func(spec world.Spec) bool { return slices.Contains(replicas, spec.Name) }) {
			continue
		}
		if s.Listens(s.Name) {
			config := &contract.Balancer{Name: s.Name}
			for _, replica := range replicas {
				config.To = append(config.To, contract.HostPortOf(replica))
			}
			specs = append(specs, world.Spec{Name: s.Name, Serve: config.Serves(), Config: config, Health: contract.ProxyPath + "healthz", Needs: replicas, Control: r.graph.Token()})
			continue
		}
		for i := range specs {
			if at := slices.Index(specs[i].Needs, s.Name); at >= 0 {
				specs[i].Needs = slices.Concat(specs[i].Needs[:at], specs[i].Needs[at+1:], replicas)
			}
		}
	}
	return specs
}

// ownPort makes a replica's settings use its own port where they name the service's, which is now the
// balancer's.
func ownPort(spec *world.Spec, service string) {
	if spec.Name == service {
		return
	}
	own := func(text string) string {
		return contract.Rename(text, func(w contract.Word) contract.Word {
			if name, part := w.Of(); name == service && part == "port" {
				return contract.Word(spec.Name + ".port")
			}
			return w
		})
	}
	all := func(settings map[string]string) map[string]string {
		changed := make(map[string]string, len(settings))
		for name, text := range settings {
			changed[name] = own(text)
		}
		return changed
	}
	spec.Environment, spec.Files = all(spec.Environment), all(spec.Files)
	spec.Command = slices.Clone(spec.Command)
	for i, word := range spec.Command {
		spec.Command[i] = own(word)
	}
}

// adapt changes settings for the proxies on edges, by the name of the service that a spec belongs to.
func (r *run) adapt(spec *world.Spec) error {
	name := spec.Name
	spec.Name = r.names.Whole(name)
	defer func() { spec.Name = name }()
	return r.graph.Adapt(spec, r.filledIn)
}
