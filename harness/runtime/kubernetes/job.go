package kubernetes

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
)

// shares reports whether the service does a part of what several do together: it is one pod of an
// Indexed Job, which is known by its index.
func (s *service) shares() bool { return s.spec.Share.Of != "" }

// object is the name of what a service consists of in the cluster.
func (s *service) object() string {
	if s.shares() {
		return s.spec.Share.Of
	}
	return s.spec.Name
}

// selector finds the pods of a service.
func (s *service) selector() string {
	selector := selectorOf(s.object())
	if s.shares() {
		selector += "," + batchv1.JobCompletionIndexAnnotation + "=" + strconv.Itoa(s.spec.Share.Index)
	}
	return selector
}

// sharing are the services that do together what this one does a part of, itself among them, by
// their index. It is called with the lock of the runtime.
func (s *service) sharing() (all []*service) {
	for _, other := range s.runtime.services {
		if other.spec.Share.Of == s.spec.Share.Of {
			all = append(all, other)
		}
	}
	slices.SortFunc(all, func(a, b *service) int { return a.spec.Share.Index - b.spec.Share.Index })
	return all
}

// configuration is what a stand-in is started with: the pods of a Job have one environment, so
// that it has a list of those of all.
func (s *service) configuration() ([]byte, error) {
	if !s.shares() {
		return s.runtime.addresses.Config(s.spec)
	}
	var all []json.RawMessage
	for _, one := range s.sharing() {
		config, err := s.runtime.addresses.Config(one.spec)
		if err != nil {
			return nil, err
		}
		all = append(all, config)
	}
	return json.Marshal(all)
}

// make creates an object; one that services share, the first of them does.
func (s *service) make(ctx context.Context, o kubernetes.Object) error {
	err := s.runtime.client.Create(ctx, o)
	if s.shares() && apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// workload is what runs the pods of a service.
func (s *service) workload() (kubernetes.Object, error) {
	if s.shares() {
		return s.job()
	}
	return s.deployment()
}

// named is the workload by its name alone.
func (s *service) named() kubernetes.Object {
	if s.shares() {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: s.object()}}
	}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: s.object()}}
}

// job runs all services that share. A pod that ends is not started again, since what it had
// counted is lost with it, and the others go on.
func (s *service) job() (*batchv1.Job, error) {
	pod, err := s.pod()
	if err != nil {
		return nil, err
	}
	pod.RestartPolicy = corev1.RestartPolicyNever
	pod.Containers[0].Env = append(pod.Containers[0].Env, corev1.EnvVar{Name: contract.IndexVariable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['" + batchv1.JobCompletionIndexAnnotation + "']"},
	}})
	s.runtime.mu.Lock()
	pods := int32(len(s.sharing()))
	s.runtime.mu.Unlock()
	return &batchv1.Job{ObjectMeta: s.meta(""), Spec: batchv1.JobSpec{
		CompletionMode: new(batchv1.IndexedCompletion), Completions: new(pods), Parallelism: new(pods), BackoffLimitPerIndex: new(int32(0)),
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: s.runtime.labelsOf(s.object())}, Spec: pod},
	}}, nil
}

// ofJob reports whether a pod is one of a Job: it ends once.
func ofJob(p *corev1.Pod) bool { return p.Spec.RestartPolicy == corev1.RestartPolicyNever }

// serviceOf is the name of the service that a pod is of. It is called with the runtime's lock.
func (r *Runtime) serviceOf(p *corev1.Pod) string {
	name := p.Labels[LabelService]
	index := p.Labels[batchv1.JobCompletionIndexAnnotation]
	for _, s := range r.services {
		if s.spec.Share.Of == name && strconv.Itoa(s.spec.Share.Index) == index {
			return s.spec.Name
		}
	}
	return name
}
