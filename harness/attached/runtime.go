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
	endpoints map[string]world.Endpoint
}

// NewRuntime adds endpoints to a runtime.
func NewRuntime(own world.Runtime, endpoints []world.Endpoint) *Runtime {
	r := &Runtime{Runtime: own, endpoints: map[string]world.Endpoint{}}
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
		return insideOf(e)
	}
	return strings.TrimSuffix(e.URL, "/")
}

// insideOf is the host and port by which neighbours know a service.
func insideOf(e world.Endpoint) string {
	if e.Inside != "" {
		return e.Inside
	}
	return strings.TrimSuffix(e.URL, "/")
}
