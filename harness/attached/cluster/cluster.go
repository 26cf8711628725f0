package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// allowLabel, with allowValue, must be on a namespace before anything is rehearsed there.
	allowLabel = "rehearse.dev/allow"
	allowValue = "true"
	// leasePrefix is how the Leases of targets begin.
	leasePrefix = "rehearse."
	// lookEvery is how often a pod is asked whether the kubelet has delivered a Secret: the precision
	// of "seen".
	lookEvery = time.Second
	// lookFor bounds the wait for a kubelet: its sync period (1m, and jitter) with the
	// ttl of its cache (1m) come to less than three minutes by its defaults (1.37).
	lookFor = 4 * time.Minute
	// lookTimeout bounds one look: a stream to a busy kubelet may say nothing for ever.
	lookTimeout = 10 * time.Second
	// logAgain is how often the log of a pod that has not started is retried.
	logAgain = time.Second
)

// ErrNotAllowed is in the chain of Open's error where the namespace does not carry the label.
var ErrNotAllowed = errors.New("it does not carry the label " + allowLabel + "=" + allowValue)

// Cluster is the namespace of a cluster that a rehearsal is attached to. It is safe
// for concurrent use.
//
//	survey ─► namespace allowed? ─► workloads, Secrets ─► forwards
//	steps  ─► Secret ─► annotation ─► rollout, each with what was there before
//	pods   ─► logs, probes, and when the kubelet brought a Secret
type Cluster struct {
	client    *kubernetes.Client
	is        *scenario.Kubernetes
	plan      *plan.Plan
	workloads map[string]*workload // by service
	leases    []*kubernetes.Lease

	mu      sync.Mutex
	record  func(history.Event)
	undo    map[string][]undo // by step
	looking sync.WaitGroup
	end     context.CancelFunc
	ended   context.Context
}

// workload runs a service: pods behind one forward, and a forward to each.
type workload struct {
	service, called, selector string
	port                      int
	forward                   *kubernetes.Forward

	mu   sync.Mutex
	pods []corev1.Pod
	to   map[string]*kubernetes.Forward // by pod
	turn int
}

// Open finds what a plan is attached to in a cluster, and changes nothing.
func Open(ctx context.Context, p *plan.Plan) (c *Cluster, endpoints []world.Endpoint, err error) {
	k := p.Rehearsal.Attach.Kubernetes
	client, err := kubernetes.Connect(kubernetes.Options{Context: k.Context, Namespace: k.Namespace})
	if err != nil {
		return nil, nil, err
	}
	c = &Cluster{client: client, is: k, plan: p, workloads: map[string]*workload{}, undo: map[string][]undo{}, record: func(history.Event) {}}
	c.ended, c.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("attach to the namespace %s: %w", k.Namespace, err), c.Close())
			c = nil
		}
	}()
	if err := c.allowed(ctx); err != nil {
		return c, nil, err
	}
	if err := c.writable(ctx); err != nil {
		return c, nil, err
	}
	for _, service := range slices.Sorted(maps.Keys(k.Workloads)) {
		e, err := c.find(ctx, service)
		if err != nil {
			return c, nil, fmt.Errorf("%s (%s): %w", service, k.Workloads[service], err)
		}
		endpoints = append(endpoints, e)
	}
	return c, endpoints, nil
}

// allowed checks the label of the namespace.
func (c *Cluster) allowed(ctx context.Context) error {
	var n corev1.Namespace
	if err := c.client.Get(ctx, c.is.Namespace, &n); err != nil {
		return err
	}
	if n.Labels[allowLabel] != allowValue {
		return fmt.Errorf("%w: its owner may allow it by `kubectl label namespace %s %s=%s`", ErrNotAllowed, c.is.Namespace, allowLabel, allowValue)
	}
	return nil
}

// writable checks that the Secrets of the steps exist and are mutable.
func (c *Cluster) writable(ctx context.Context) error {
	for _, name := range secretsOf(c.plan.Rehearsal.Attach) {
		var s corev1.Secret
		if err := c.client.Get(ctx, name, &s); err != nil {
			return err
		}
		if s.Immutable != nil && *s.Immutable {
			return fmt.Errorf("the Secret %s is immutable: a new value needs a new Secret and a rollout that names it, by a command of yours", name)
		}
	}
	return nil
}

// secretsOf and deploymentsOf name what the steps act on.
func secretsOf(a *scenario.Attach) []string {
	return namesIn(a, func(act scenario.Act) string {
		if act.Secret == nil {
			return ""
		}
		return act.Secret.Name
	})
}

func deploymentsOf(a *scenario.Attach) []string {
	return namesIn(a, func(act scenario.Act) string { return strings.TrimPrefix(act.Rollout, scenario.DeploymentPrefix) })
}

func namesIn(a *scenario.Attach, of func(scenario.Act) string) []string {
	var all []string
	for _, act := range a.Steps {
		if name := of(act); name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// find finds the pods of a service, and begins to forward to them.
func (c *Cluster) find(ctx context.Context, service string) (world.Endpoint, error) {
	w := &workload{service: service, called: c.is.Workloads[service], selector: c.is.Workloads[service], to: map[string]*kubernetes.Forward{}}
	if name, is := strings.CutPrefix(w.called, scenario.DeploymentPrefix); is {
		var d appsv1.Deployment
		if err := c.client.Get(ctx, name, &d); err != nil {
			return world.Endpoint{}, err
		}
		w.selector = metav1.FormatLabelSelector(d.Spec.Selector)
	}
	var pods corev1.PodList
	if err := c.client.List(ctx, w.selector, &pods); err != nil {
		return world.Endpoint{}, err
	}
	w.set(pods.Items)
	ready := w.ready()
	if len(ready) == 0 {
		return world.Endpoint{}, fmt.Errorf("no pod of it is ready: %s", kubernetes.Describe(pods.Items))
	}
	var err error
	if w.port, err = c.port(service, &ready[0]); err != nil {
		return world.Endpoint{}, err
	}
	if w.forward, err = c.client.Forward(c.ended, w.selector, w.port); err != nil {
		return world.Endpoint{}, err
	}
	c.workloads[service] = w
	e := world.Endpoint{
		Service: service, URL: "http://" + w.forward.Address(), Inside: fmt.Sprintf("http://%s:%d", service, w.port), Logged: true,
		Is: fmt.Sprintf("%s in %s, %s", w.called, c.is.Namespace, many(len(ready), "pod")), Replica: func() (string, string) { return c.replica(w) },
	}
	lines, err := c.client.Recent(ctx, ready[0].Name, container(&ready[0]), tellingLines)
	if err != nil {
		return world.Endpoint{}, err
	}
	e.Tells = slices.ContainsFunc(lines, func(line []byte) bool {
		parsed, ok := history.ParseLine(line)
		return ok && parsed.Service == service
	})
	return e, nil
}

// tellingLines is how many lines of a log are read to see what form it has.
const tellingLines = 200

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// port is the port of a service: the scenario's, or its container's only one.
func (c *Cluster) port(service string, p *corev1.Pod) (int, error) {
	for _, s := range c.plan.Services {
		if s.Name == service && len(s.Ports) > 0 {
			return s.Ports[0], nil
		}
	}
	var said []int
	for _, of := range p.Spec.Containers {
		if of.Name == container(p) {
			for _, port := range of.Ports {
				said = append(said, int(port.ContainerPort))
			}
		}
	}
	if len(said) != 1 {
		return 0, fmt.Errorf("say its port, as services: {%s: {ports: [8080]}}: its container says %v", service, said)
	}
	return said[0], nil
}

// container is the container of a pod that kubectl takes by default: by annotation, else the first.
func container(p *corev1.Pod) string {
	if name := p.Annotations["kubectl.kubernetes.io/default-container"]; name != "" {
		return name
	}
	return p.Spec.Containers[0].Name
}

func (w *workload) set(pods []corev1.Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pods = pods
}

// ready are the pods that take new requests.
func (w *workload) ready() []corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.pods), func(p corev1.Pod) bool { return !kubernetes.Ready(&p) })
}

// replica is the address and name of the next pod to ask, or the shared address where none is ready.
func (c *Cluster) replica(w *workload) (url, pod string) {
	ready := w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(ready) > 0 {
		w.turn++
		name := ready[w.turn%len(ready)].Name
		f := w.to[name]
		var err error
		if f == nil {
			if f, err = c.client.Forward(c.ended, "pod/"+name, w.port); err == nil {
				w.to[name] = f
			}
		}
		if err == nil {
			return "http://" + f.Address(), name
		}
	}
	return "http://" + w.forward.Address(), ""
}

// Hold takes the Lease of each workload: everybody who reaches the cluster then sees who has it. by
// names the holder to others.
func (c *Cluster) Hold(ctx context.Context, by string) error {
	for _, service := range slices.Sorted(maps.Keys(c.workloads)) { // in one order, so that two never wait for each other
		l, err := c.client.Hold(ctx, leaseOf(c.is.Workloads[service]), by, map[string]string{"app.kubernetes.io/managed-by": kubernetes.FieldManager})
		if err != nil {
			return err
		}
		c.leases = append(c.leases, l)
	}
	return nil
}

// leaseOf is the name of the Lease of a workload.
func leaseOf(workload string) string {
	return leasePrefix + strings.Trim(strings.ToLower(strings.NewReplacer("/", ".", "=", ".", ",", ".", "_", "-").Replace(workload)), ".-")
}

// Lost says which Lease was lost; nil: all are held.
func (c *Cluster) Lost() error {
	for _, l := range c.leases {
		if err := l.Lost(); err != nil {
			return err
		}
	}
	return nil
}

// Release releases the Leases.
func (c *Cluster) Release(ctx context.Context) error {
	var errs []error
	for _, l := range c.leases {
		errs = append(errs, l.Release(ctx))
	}
	c.leases = nil
	return errors.Join(errs...)
}

// Close lets go of the cluster.
func (c *Cluster) Close() error {
	c.end()
	c.looking.Wait()
	var errs []error
	for _, w := range c.workloads {
		w.mu.Lock()
		forwards := append(slices.Collect(maps.Values(w.to)), w.forward)
		w.mu.Unlock()
		for _, f := range forwards {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// The kinds that an annotation can be given to by a short name.
var annotated = map[string]schema.GroupVersionResource{
	"deployment": {Group: "apps", Version: "v1", Resource: "deployments"},
	"secret":     {Version: "v1", Resource: "secrets"},
	"pods":       {Version: "v1", Resource: "pods"},
}

// gone says that an object no longer exists: there is nothing to take back.
func gone(err error) bool { return apierrors.IsNotFound(err) }
