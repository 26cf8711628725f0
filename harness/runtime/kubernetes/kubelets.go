package kubernetes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

var _ world.Cluster = (*Runtime)(nil)

// Sync is the longest of all nodes. A kubelet that does not say how it is set has its
// defaults, as far as is known.
func (r *Runtime) Sync(ctx context.Context) (longest time.Duration, known string) {
	byDefault := func(why error) (time.Duration, string) {
		return runbook.KubeletSync, fmt.Sprintf("by the default of kubelets, since theirs is not known: %v", why)
	}
	var nodes corev1.NodeList
	if err := r.cluster.List(ctx, "", &nodes); err != nil {
		return byDefault(err)
	}
	for _, n := range nodes.Items {
		sync, err := r.cluster.KubeletSync(ctx, n.Name)
		if err != nil {
			return byDefault(err)
		}
		// As the default is by its jitter.
		if sync = time.Duration(float64(sync) * float64(runbook.KubeletSync) / float64(kubernetes.DefaultSync)); sync > longest {
			longest, known = sync, "by the configuration of the kubelet of "+n.Name
		}
	}
	return longest, known
}
