package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

const configMap = runbook.ConfigMap

// mounted reports whether files come by a volume.
func mounted(brought string) bool { return runbook.Mounted(brought) }

// Folder is where a service has its files mounted.
func (r *Runtime) Folder(service string) (string, error) { return "/run/rehearse/" + service, nil }

// WriteFiles writes the Secret or the ConfigMap that is mounted for a service. Its
// kubelet brings it there.
func (r *Runtime) WriteFiles(ctx context.Context, service string, contents map[string][]byte) error {
	r.mu.Lock()
	r.files[service] = maps.Clone(contents)
	s := r.services[service]
	r.mu.Unlock()
	if s == nil || s.is() == starting { // which it is started with
		return nil
	}
	return r.mount(ctx, s)
}

// keys are the names of a service's files, sorted.
func (r *Runtime) keys(service string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.files[service]))
}

// mount writes what is to be mounted for a service.
func (r *Runtime) mount(ctx context.Context, s *service) error {
	r.mu.Lock()
	contents := r.files[s.spec.Name]
	r.mu.Unlock()
	var object kubernetes.Object = s.secret("files", contents)
	if s.spec.Brought == configMap {
		object = &corev1.ConfigMap{ObjectMeta: s.meta("files"), BinaryData: contents}
	}
	if err := r.client.Apply(ctx, object); err != nil {
		return fmt.Errorf("write the %s of %s: %w", s.spec.Brought, s.spec.Name, err)
	}
	return nil
}
