package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// conflicts bounds how often a write is repeated after a conflict.
const conflicts = 5

// undo takes back one change in the cluster.
type undo func(context.Context) error

// errChanged is in the chain of an undo's error where somebody else changed the object meanwhile.
var errChanged = errors.New("somebody else has changed it since, and it stays as it is")

// Do makes an act's changes in the cluster, in their order, with texts already filled in, and remembers
// how to undo each.
func (c *Cluster) Do(ctx context.Context, step, credential string, act scenario.Act, data map[string]string, annotation string) error {
	if err := c.Lost(); err != nil {
		return err
	}
	c.mu.Lock()
	c.undo[step] = nil
	c.mu.Unlock()
	kept := func(u undo) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.undo[step] = append(c.undo[step], u)
	}
	if act.Secret != nil {
		if err := c.write(ctx, step, credential, act.Secret, data, kept); err != nil {
			return err
		}
	}
	if act.Annotate != nil {
		if err := c.annotate(ctx, act.Annotate, annotation, kept); err != nil {
			return err
		}
	}
	if act.Rollout != "" {
		return c.rollOut(ctx, strings.TrimPrefix(act.Rollout, scenario.DeploymentPrefix), kept)
	}
	return nil
}

// TakeBack undoes a step in the order in which it was done: pods roll out again after the Secret has
// the old value. What somebody else changed meanwhile stays, and is reported.
func (c *Cluster) TakeBack(ctx context.Context, step string) error {
	c.mu.Lock()
	all := c.undo[step]
	c.undo[step] = nil
	c.mu.Unlock()
	var errs []error
	for _, u := range all {
		errs = append(errs, u(ctx))
	}
	return errors.Join(errs...)
}

// write writes to a Secret.
func (c *Cluster) write(ctx context.Context, step, credential string, w *scenario.SecretWrite, data map[string]string, kept func(undo)) error {
	written := c.look(ctx, step, w.Name)
	wrote := map[string][]byte{} // nil: it was taken away
	before := map[string][]byte{}
	err := c.changeSecret(ctx, w.Name, func(s *corev1.Secret) (map[string][]byte, error) {
		clear(wrote)
		clear(before)
		if !w.Patch {
			for key := range s.Data {
				wrote[key] = nil
			}
		}
		for key, value := range data {
			wrote[key] = []byte(value)
		}
		for key := range wrote {
			if was, ok := s.Data[key]; ok {
				before[key] = append([]byte{}, was...) // an empty one is there, too
			}
		}
		return wrote, nil
	})
	if err != nil {
		return err
	}
	kept(func(ctx context.Context) error {
		return c.changeSecret(ctx, w.Name, func(s *corev1.Secret) (map[string][]byte, error) {
			var changed []string
			back := map[string][]byte{}
			for _, key := range slices.Sorted(maps.Keys(wrote)) {
				is, ok := s.Data[key]
				if ok != (wrote[key] != nil) || string(is) != string(wrote[key]) {
					changed = append(changed, key)
				}
				back[key] = before[key]
			}
			if len(changed) > 0 {
				return nil, fmt.Errorf("put back the Secret %s: %s: %w", w.Name, strings.Join(changed, ", "), errChanged)
			}
			return back, nil
		})
	})
	c.tell(history.Event{Kind: history.KindPod, Service: "secret/" + w.Name, What: history.PodWritten, Step: step, Credential: credential})
	written(credential)
	return nil
}

// changeSecret changes keys of a Secret, and looks again where another write came between. A nil value
// removes a key.
func (c *Cluster) changeSecret(ctx context.Context, name string, change func(*corev1.Secret) (map[string][]byte, error)) error {
	for try := 0; ; try++ {
		var s corev1.Secret
		if err := c.client.Get(ctx, name, &s); err != nil {
			return err
		}
		keys, err := change(&s)
		if err != nil {
			return err
		}
		// JSON has bytes as base64, and nil as null, which removes a key (RFC 7396).
		patch := map[string]any{"metadata": map[string]any{"resourceVersion": s.ResourceVersion}, "data": keys}
		err = c.client.Patch(ctx, name, patch, &s)
		if err == nil || !apierrors.IsConflict(err) || try == conflicts {
			return err
		}
	}
}

// annotate gives objects an annotation.
func (c *Cluster) annotate(ctx context.Context, n *scenario.Annotate, value string, kept func(undo)) error {
	if value == "" {
		value = time.Now().UTC().Format(time.RFC3339Nano)
	}
	for _, o := range c.annotatedBy(n.On) {
		before, err := c.setAnnotation(ctx, o.of, o.name, n.Name, &value, nil)
		if err != nil {
			return err
		}
		kept(func(ctx context.Context) error {
			_, err := c.setAnnotation(ctx, o.of, o.name, n.Name, before, &value)
			if gone(err) && o.of.Resource == "pods" {
				return nil // it went, with its annotation
			}
			return err
		})
	}
	return nil
}

// object is an object of any kind.
type object struct {
	of   schema.GroupVersionResource
	name string
}

// annotatedBy are the objects that an act names.
func (c *Cluster) annotatedBy(on string) (all []object) {
	parts := strings.Split(on, "/")
	switch {
	case len(parts) == 4:
		return []object{{schema.GroupVersionResource{Group: parts[0], Version: parts[1], Resource: parts[2]}, parts[3]}}
	case parts[0] == "pods":
		for _, p := range c.workloads[parts[1]].ready() {
			all = append(all, object{annotated["pods"], p.Name})
		}
		return all
	}
	return []object{{annotated[parts[0]], parts[1]}}
}

// setAnnotation sets an annotation and returns its old value; nil: there was none. The value must be
// now, unless that is nil.
func (c *Cluster) setAnnotation(ctx context.Context, of schema.GroupVersionResource, name, annotation string, value, now *string) (before *string, err error) {
	for try := 0; ; try++ {
		is, version, err := c.client.Annotations(ctx, of, name)
		if err != nil {
			return nil, err
		}
		before = nil
		if was, ok := is[annotation]; ok {
			before = &was
		}
		if now != nil && (before == nil || *before != *now) {
			return before, fmt.Errorf("put back the annotation %s of %s/%s: %w", annotation, of.Resource, name, errChanged)
		}
		err = c.client.SetAnnotation(ctx, of, name, version, annotation, value)
		if err == nil || !apierrors.IsConflict(err) || try == conflicts {
			return before, err
		}
	}
}

// rollOut replaces the pods of a Deployment, and waits for that.
func (c *Cluster) rollOut(ctx context.Context, name string, kept func(undo)) error {
	value := time.Now().UTC().Format(time.RFC3339Nano)
	before, err := c.setTemplate(ctx, name, &value, nil)
	if err != nil {
		return err
	}
	kept(func(ctx context.Context) error {
		if _, err := c.setTemplate(ctx, name, before, &value); err != nil {
			return err
		}
		return c.client.AwaitRollout(ctx, name)
	})
	return c.client.AwaitRollout(ctx, name)
}

// setTemplate is setAnnotation on a Deployment's template, which rolls it out.
func (c *Cluster) setTemplate(ctx context.Context, name string, value, now *string) (before *string, err error) {
	for try := 0; ; try++ {
		var d appsv1.Deployment
		if err := c.client.Get(ctx, name, &d); err != nil {
			return nil, err
		}
		before = nil
		if was, ok := d.Spec.Template.Annotations[kubernetes.RestartedAt]; ok {
			before = &was
		}
		if now != nil && (before == nil || *before != *now) {
			return before, fmt.Errorf("roll deployment/%s back: its template was rolled out by somebody else: %w", name, errChanged)
		}
		patch := kubernetes.Annotate(kubernetes.RestartedAt, value)
		patch["metadata"] = map[string]any{"resourceVersion": d.ResourceVersion}
		err = c.client.Patch(ctx, name, patch, &d)
		if err == nil || !apierrors.IsConflict(err) || try == conflicts {
			return before, err
		}
	}
}

// Describe says what an act does in the cluster, in a line.
func Describe(a scenario.Act) string {
	var parts []string
	if len(a.Command) > 0 {
		parts = append(parts, "command "+strings.Join(a.Command, " "))
	}
	if s := a.Secret; s != nil {
		how := "replace all of"
		if s.Patch {
			how = "patch"
		}
		parts = append(parts, fmt.Sprintf("%s Secret %s: %s", how, s.Name, strings.Join(slices.Sorted(maps.Keys(s.Data)), ", ")))
	}
	if n := a.Annotate; n != nil {
		parts = append(parts, "annotate "+n.On+" with "+n.Name)
	}
	if a.Rollout != "" {
		parts = append(parts, "roll out "+a.Rollout)
	}
	return strings.Join(parts, ", then ")
}
