package lint

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// How a secret arrives in a Kubernetes cluster.
var (
	// Kubernetes documentation, Secrets: "A container using a Secret as a subPath volume
	// mount does not receive automated Secret updates."
	subPath = Rule{"sub-path", "no consumer mounts the secret by subPath",
		"what is mounted by subPath never changes while its pod lives: it fails at the revoke, however long the lead is"}
	// Kubernetes documentation, ConfigMaps: "ConfigMap does not provide secrecy or encryption."
	readable = Rule{"secret-in-config-map", "a secret lies in a Secret and not in a ConfigMap",
		"whoever may read the configuration of a namespace has the secret too"}
	kubelet = Rule{"kubelet-delay", "the page gives a volume the time that a kubelet takes",
		"consumers are taken to have what their kubelet has not written yet"}
	rollout = Rule{"rollout-time", "the page says how long a rollout takes, where the secret comes with one",
		"without it the lead and the window are held against what a Deployment may take by its default"}
)

func mountedBySubPath(s *subject) []Finding {
	var found []Finding
	for i, c := range s.page.Consumers {
		if path := fmt.Sprintf("consumers[%d].sub_path", i); c.SubPath {
			found = append(found, Finding{
				Level: Error, Path: path, Consumer: c.Name,
				Message: fmt.Sprintf("%s mounts the secret by subPath, and a kubelet never writes that anew", c.Name),
				Fix:     fmt.Sprintf("mount the whole volume and read the file in it, or roll %s out anew as a step (distribution: secret-env)", c.Name),
			})
		}
	}
	return found
}

func secretsInConfigMaps(s *subject) []Finding {
	if s.page.Storage.Distribution != runbook.ConfigMap {
		return nil
	}
	return []Finding{{
		Level: Warning, Path: "storage.distribution",
		Message: fmt.Sprintf("%s lies in a ConfigMap", s.page.Scope.Name), Fix: "distribution: secret-volume, which arrives no later",
	}}
}

// soonerThanKubelets finds a page that gives its volumes less time than kubelets take
// by their defaults. A scenario that says how late a file is says it itself.
func soonerThanKubelets(s *subject) []Finding {
	d, allowed := s.page.Storage.Reaches(), s.page.Rollout.Propagation.Duration()
	takes, of := runbook.Arrives(d)
	if !runbook.Mounted(d) || allowed == 0 || allowed >= takes || len(s.services) > 0 {
		return nil
	}
	return []Finding{{
		Level: Warning, Path: "rollout.propagation", Planned: plan.Text(allowed), Needed: plan.Text(takes),
		Message: fmt.Sprintf("the page allows %s for a publication, and %s take up to %s by default", plan.Text(allowed), of, plan.Text(takes)),
		Fix:     fmt.Sprintf("rollout.propagation: at least %s, or none, where no kubelet is set to look more often (syncFrequency)", plan.Text(takes)),
	}}
}

func untimedRollouts(s *subject) []Finding {
	if s.page.Storage.Reaches() != runbook.SecretEnv || s.page.Rollout.Propagation > 0 {
		return nil
	}
	why := "the secret is in the environment of its consumers, which changes with a rollout"
	if s.page.Storage.Immutable {
		why = "the Secret is immutable: the new one has a new name, with which every consumer is rolled out"
	}
	return []Finding{{
		Level: Warning, Path: "rollout", Message: why + ", and the page does not say how long that takes",
		Fix: fmt.Sprintf("rollout.propagation: what the slowest Deployment takes; without it %s, after which one counts as stuck", plan.Text(runbook.RolloutWithin)),
	}}
}
