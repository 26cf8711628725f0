package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// youngWithin is the age of a namespace in which its Lease may not be there yet.
const youngWithin = 2 * kubernetes.LeaseLife

// Leftovers are the namespaces of dead runs in a cluster. Where no cluster answers
// there are none to be seen, and Sweep does nothing.
type Leftovers struct{ at launch.Place }

var _ leftover.Engine = Leftovers{}

// Sweep removes the namespaces of runs whose Lease nobody renews, and whose process is
// not known to live. A run of this machine whose process is dead is dead at once.
func (l Leftovers) Sweep(ctx context.Context, dead func(host string, harness leftover.Identity, running bool) bool) (removed []string, err error) {
	cluster, _, err := connect(ctx, l.at)
	if errors.Is(err, launch.ErrUnavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found corev1.NamespaceList
	if err := cluster.List(ctx, LabelManaged+"=rehearse,"+LabelRun, &found); err != nil {
		return nil, fmt.Errorf("look for namespaces of dead runs: %w", err)
	}
	var errs []error
	for i := range found.Items {
		n := &found.Items[i]
		if n.Name != namespaceOf(n.Labels[LabelRun]) || n.DeletionTimestamp != nil {
			continue // somebody else's, or going already
		}
		is, err := isDead(ctx, cluster, n, dead)
		if err == nil && is {
			err = cluster.Delete(ctx, n)
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("remove the namespace %s: %w", n.Name, err))
		case is:
			removed = append(removed, "namespace "+n.Name)
		}
	}
	return removed, errors.Join(errs...)
}

// isDead reports whether the run of a namespace is over.
func isDead(ctx context.Context, cluster *kubernetes.Client, n *corev1.Namespace, dead func(string, leftover.Identity, bool) bool) (bool, error) {
	host := n.Annotations[AnnotationHost]
	if harness, err := leftover.ParseIdentity(n.Annotations[AnnotationHarness]); err == nil && host == leftover.Host() {
		return dead(host, harness, true), nil
	}
	if time.Since(n.CreationTimestamp.Time) < youngWithin {
		return false, nil
	}
	alive, err := cluster.In(n.Name).Alive(ctx, Lease)
	return err == nil && !alive, err
}

// adopt finds the services of a run that still run. They are forwarded to loopback for
// as long as this process lives.
func adopt(ctx context.Context, run string, at launch.Place) (map[string]launch.Adopted, error) {
	cluster, _, err := connect(ctx, at)
	if err != nil {
		return nil, err
	}
	client := cluster.In(namespaceOf(run))
	var secrets corev1.SecretList
	if err := client.List(ctx, LabelRun+"="+run, &secrets); err != nil {
		return nil, err
	}
	services := map[string]launch.Adopted{}
	for _, s := range secrets.Items {
		service := s.Labels[LabelService]
		if s.Name != service+"-environment" {
			continue
		}
		a := launch.Adopted{Environment: map[string]string{}}
		for key, value := range s.Data {
			a.Environment[key] = string(value)
		}
		if config, told := a.Environment[contract.Variable]; told && json.Valid([]byte(config)) {
			a.Config = []byte(config)
		}
		address := corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: service}}
		if err := client.Get(ctx, service, &address); err == nil && len(address.Spec.Ports) > 0 {
			forward, err := client.Forward(ctx, selectorOf(service), int(address.Spec.Ports[0].Port))
			if err != nil {
				return nil, err
			}
			a.URL = "http://" + forward.Address()
		}
		services[service] = a
	}
	return services, nil
}
