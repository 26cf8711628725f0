package attached

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Runtime knows the services of a system beside those that another runtime
// starts for the run itself, the load. It has none of the optional abilities:
// nothing of the system is killed, paused or started anew.
type Runtime struct {
	world.Runtime
	endpoints map[string]Endpoint
}

// NewRuntime adds endpoints to a runtime.
func NewRuntime(own world.Runtime, endpoints []Endpoint) *Runtime {
	r := &Runtime{Runtime: own, endpoints: map[string]Endpoint{}}
	for _, e := range endpoints {
		r.endpoints[e.Service] = e
	}
	return r
}

// Name is "attached".
func (*Runtime) Name() string { return "attached" }

// URL is the address of a service of the system, or of the run's own.
func (r *Runtime) URL(service string, inside bool) string {
	e, ok := r.endpoints[service]
	switch {
	case !ok:
		return r.Runtime.URL(service, inside)
	case inside:
		return e.inside()
	}
	return strings.TrimSuffix(e.URL, "/")
}
