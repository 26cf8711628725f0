package plan

import "github.com/rehearse-dev/rehearse/harness/scenario"

// Instances are the services as they are started: each replica under a name of its own,
// scenario.ReplicaName. Each replica of a command of this machine has a port of its own.
func (p *Plan) Instances() []Service {
	var all []Service
	for _, s := range p.Services {
		all = append(all, s.instances()...)
	}
	return all
}

// instances are those of one service.
func (s Service) instances() []Service {
	if s.Replicas < 2 {
		return []Service{s}
	}
	var all []Service
	for i := range s.Replicas {
		one := s
		one.Name = scenario.ReplicaName(s.Name, i)
		if !s.NeedsImage() {
			one.Ports = nil
		}
		all = append(all, one)
	}
	return all
}

// ReplicasOf are the names of a service's replicas; nil: it has none.
func (p *Plan) ReplicasOf(service string) []string {
	var names []string
	for i := range p.Rehearsal.Services[service].Replicas {
		names = append(names, scenario.ReplicaName(service, i))
	}
	if len(names) < 2 {
		return nil
	}
	return names
}
