package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Stays reports, before anything is started, the pods that a step will not reach: those that have the
// Secret in their environment or by subPath, and that the step does not roll out.
func (c *Cluster) Stays() (all []string) {
	for _, step := range scenario.StepNames {
		act := c.plan.Rehearsal.Attach.Steps[step]
		if act.Secret == nil {
			continue
		}
		for _, service := range slices.Sorted(maps.Keys(c.workloads)) {
			w := c.workloads[service]
			ready := w.ready()
			if len(ready) == 0 || act.Rollout == w.called {
				continue
			}
			var how []string
			for _, way := range kubernetes.WaysOf(&ready[0].Spec, act.Secret.Name) {
				if way != kubernetes.Volume {
					how = append(how, way)
				}
			}
			if len(how) > 0 {
				all = append(all, fmt.Sprintf("%s has the Secret %s %s, and %s does not roll it out: its pods keep what they have", service, act.Secret.Name, strings.Join(how, " and "), step))
			}
		}
	}
	return all
}
