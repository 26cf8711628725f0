package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Redeploy rolls a service out anew with these variables over those that it has, and
// returns when the new pod is ready and the old one is gone. Requests are answered
// throughout: there is no moment without one that is ready.
func (r *Runtime) Redeploy(ctx context.Context, name string, environment map[string]string) error {
	before, err := r.roll(ctx, name, environment, "")
	if err != nil {
		return fmt.Errorf("redeploy %s: %w", name, err)
	}
	var never error
	err = r.client.AwaitPods(ctx, selectorOf(name), func(pods []corev1.Pod) bool {
		for _, p := range pods {
			if before.have(p) {
				return false
			}
			if never = whyNever(p); never != nil {
				return true
			}
		}
		return len(pods) == 1 && kubernetes.Ready(&pods[0])
	})
	if err = errors.Join(never, err); err != nil {
		return fmt.Errorf("redeploy %s: %w", name, err)
	}
	return nil
}

// Stick begins such a rollout, which is stuck, and returns when the cluster says so.
func (r *Runtime) Stick(ctx context.Context, name string, environment map[string]string, by world.RolloutTrouble) error {
	before, err := r.roll(ctx, name, environment, by)
	if err != nil {
		return fmt.Errorf("roll out %s: %w", name, err)
	}
	if by == world.RolloutPaused { // then there is no new pod at all
		return nil
	}
	err = r.client.AwaitPods(ctx, selectorOf(name), func(pods []corev1.Pod) bool {
		return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return !before.have(p) && stuck(p) })
	})
	if err != nil {
		return fmt.Errorf("roll out %s, to be stuck by its %s: %w", name, by, err)
	}
	return nil
}

// stuck reports whether a pod was made for a rollout that is to be stuck, and is.
func stuck(p corev1.Pod) bool {
	if p.Spec.NodeSelector[noNode] != "" {
		return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable
		})
	}
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Image == noSuchImage && c.State.Waiting != nil && slices.Contains(noImage, c.State.Waiting.Reason)
	})
}

const (
	// noSuchImage is in no registry: the top-level domain is never given away (RFC 2606, section 2).
	noSuchImage = "registry.invalid/rehearse/not-there:1"
	// noNode is a label that no node has: to the pod it is as if all of them were cordoned, and
	// to those of others nothing.
	noNode = "rehearse.dev/no-node"
)

// seen are pods by their identifiers.
type seen []corev1.Pod

func (s seen) have(pod corev1.Pod) bool {
	return slices.ContainsFunc(s, func(p corev1.Pod) bool { return p.UID == pod.UID })
}

// roll begins a rollout with these variables over those of a service, and returns the
// pods that were there before.
func (r *Runtime) roll(ctx context.Context, name string, environment map[string]string, stuckBy world.RolloutTrouble) (seen, error) {
	s, err := r.running("redeploy", name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	for key, value := range environment {
		s.environment[key] = value
	}
	secret := s.secret("environment", texts(s.environment))
	s.mu.Unlock()
	if err := r.client.Apply(ctx, secret); err != nil {
		return nil, err
	}
	var before corev1.PodList
	if err := r.client.List(ctx, selectorOf(name), &before); err != nil {
		return nil, err
	}
	deployment, err := s.deployment()
	if err != nil {
		return nil, err
	}
	pod := &deployment.Spec.Template
	// The annotation has nanoseconds: two rollouts in a second are two.
	pod.Annotations = map[string]string{kubernetes.RestartedAt: time.Now().UTC().Format(time.RFC3339Nano)}
	switch stuckBy {
	case world.RolloutPaused:
		deployment.Spec.Paused = true
	case world.RolloutImage:
		pod.Spec.Containers[0].Image = noSuchImage
	case world.RolloutNode:
		pod.Spec.NodeSelector = map[string]string{noNode: "true"}
	}
	return before.Items, r.client.Patch(ctx, name, map[string]any{"spec": map[string]any{
		"paused": deployment.Spec.Paused,
		"template": map[string]any{
			"metadata": map[string]any{"annotations": pod.Annotations},
			"spec":     map[string]any{"containers": pod.Spec.Containers, "nodeSelector": pod.Spec.NodeSelector},
		},
	}}, &appsv1.Deployment{})
}
