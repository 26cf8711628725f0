package kubernetes

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// RestartedAt is the annotation of a pod template by which a Deployment is rolled
// out anew, as `kubectl rollout restart` sets it.
const RestartedAt = "kubectl.kubernetes.io/restartedAt"

// Annotate is the merge patch that gives an object's pod template an annotation;
// nil takes it away.
func Annotate(name string, value *string) map[string]any {
	return map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{name: value}}}}}
}

// Restart has all pods of a Deployment replaced, in the order of its strategy.
func (c *Client) Restart(ctx context.Context, name string, at time.Time) error {
	value := at.UTC().Format(time.RFC3339)
	return c.Patch(ctx, name, Annotate(RestartedAt, &value), &appsv1.Deployment{})
}

// RolledOut reports whether all replicas of a Deployment are of its present
// template, and ready, and none of another one is there; else how it stands.
func RolledOut(d *appsv1.Deployment) (done bool, stands string) {
	wanted := int32(1)
	if d.Spec.Replicas != nil {
		wanted = *d.Spec.Replicas
	}
	s := d.Status
	stands = fmt.Sprintf("%d of %d replicas are of the new template, %d are available, %d are there", s.UpdatedReplicas, wanted, s.AvailableReplicas, s.Replicas)
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == wanted && s.AvailableReplicas == wanted && s.Replicas == wanted, stands
}

// AwaitRollout waits until a Deployment is rolled out. It needs `get` alone. An
// error has how it last stood.
func (c *Client) AwaitRollout(ctx context.Context, name string) error {
	const again = 200 * time.Millisecond
	stands := "nothing was seen of it"
	for {
		var d appsv1.Deployment
		err := c.Get(ctx, name, &d)
		if err == nil {
			var done bool
			if done, stands = RolledOut(&d); done {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the rollout of deployment/%s: %w; %s", name, ctx.Err(), stands)
		}
		if err != nil {
			return err
		}
		for _, condition := range d.Status.Conditions {
			if condition.Type == appsv1.DeploymentProgressing && condition.Reason == "ProgressDeadlineExceeded" && d.Status.ObservedGeneration >= d.Generation {
				return fmt.Errorf("wait for the rollout of deployment/%s: it is stuck, as its progressDeadlineSeconds say; %s", name, stands)
			}
		}
		wait(ctx, again)
	}
}
