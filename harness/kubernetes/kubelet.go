package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// DefaultSync is how often a kubelet looks at a pod to which nothing happens, by its
// default: syncFrequency of kubelet.config.k8s.io/v1beta1.
const DefaultSync = time.Minute

// KubeletSync asks the kubelet of a node for its syncFrequency, by way of the API
// server, which needs `get` on nodes/proxy. How long the kubelet waits in truth is up
// to half of it more.
func (c *Client) KubeletSync(ctx context.Context, node string) (time.Duration, error) {
	raw, err := c.versions[corev1.SchemeGroupVersion].Get().Resource("nodes").Name(node).SubResource("proxy", "configz").DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask the kubelet of %s for its configuration: %w", node, err)
	}
	var is struct {
		Kubelet struct {
			SyncFrequency string `json:"syncFrequency"`
		} `json:"kubeletconfig"`
	}
	if err := json.Unmarshal(raw, &is); err != nil {
		return 0, fmt.Errorf("read the configuration of the kubelet of %s: %w", node, err)
	}
	sync, err := time.ParseDuration(is.Kubelet.SyncFrequency)
	if err != nil || sync <= 0 {
		return 0, fmt.Errorf("read the configuration of the kubelet of %s: its syncFrequency is %q", node, is.Kubelet.SyncFrequency)
	}
	return sync, nil
}
