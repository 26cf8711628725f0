package attached

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// inEnvironment reports whether the container of a pod has a Secret, or a key of it,
// in its environment.
func inEnvironment(p *corev1.Pod, secret string) bool {
	for _, of := range p.Spec.Containers {
		if of.Name != container(p) {
			continue
		}
		if slices.ContainsFunc(of.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef != nil && e.SecretRef.Name == secret }) ||
			slices.ContainsFunc(of.Env, func(e corev1.EnvVar) bool {
				return e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && e.ValueFrom.SecretKeyRef.Name == secret
			}) {
			return true
		}
	}
	return false
}

// Stays says, before anything is started, which pods will not get what a step writes:
// those that have the Secret in their environment, or by subPath, and that the step
// does not roll out.
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
			how := ""
			if inEnvironment(&ready[0], act.Secret.Name) {
				how = "in its environment"
			}
			for _, m := range mountsOf(&ready[0], act.Secret.Name) {
				if m.SubPath != "" || m.SubPathExpr != "" {
					how = "by subPath"
				}
			}
			if how != "" {
				all = append(all, fmt.Sprintf("%s has the Secret %s %s, and %s does not roll it out: its pods keep what they have", service, act.Secret.Name, how, step))
			}
		}
	}
	return all
}
