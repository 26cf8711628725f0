package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

var (
	_ world.Runtime    = (*Runtime)(nil)
	_ world.Imager     = (*Runtime)(nil)
	_ world.Labeller   = (*Runtime)(nil)
	_ world.Files      = (*Runtime)(nil)
	_ world.Killer     = (*Runtime)(nil)
	_ world.Restarter  = (*Runtime)(nil)
	_ world.Redeployer = (*Runtime)(nil)
	_ world.Sticker    = (*Runtime)(nil)
	_ world.Locator    = (*Runtime)(nil)
)

const (
	// standInPort is where stand-ins listen in their pods.
	standInPort = 8080
	// askWithin bounds what is asked of the API server and is not cut short with the run.
	askWithin = 60 * time.Second
	// Lease is the name of the Lease of a run, in its namespace.
	Lease = "rehearse"
)

// Labels and annotations of what belongs to a run.
const (
	LabelManaged = "app.kubernetes.io/managed-by" // rehearse
	LabelRun     = "rehearse.dev/run"
	LabelService = "rehearse.dev/service"
	// AnnotationHost and AnnotationHarness are where the process lives that started it,
	// and which it is (leftover.Host, leftover.Identity); AnnotationStarted is when.
	AnnotationHost    = "rehearse.dev/host"
	AnnotationHarness = "rehearse.dev/harness"
	AnnotationStarted = "rehearse.dev/started"
)

// Runtime starts each service as a Deployment behind a Service of its name, and those that
// share what one would do as one Indexed Job.
type Runtime struct {
	cluster *kubernetes.Client
	client  *kubernetes.Client // of the run's namespace
	o       launch.Options
	image   string // of rehearse
	where   string

	mu        sync.Mutex
	lease     *kubernetes.Lease // nil: there is no namespace yet
	services  map[string]*service
	addresses launch.Addresses
	files     map[string]map[string][]byte // of services that may not have started yet
	located   map[string]string            // services by the addresses of their pods
	watching  context.CancelFunc
	tasks     sync.WaitGroup
}

// New finds the cluster (else launch.ErrUnavailable), and starts nothing.
func New(ctx context.Context, s launch.Settings) (*Runtime, error) {
	cluster, version, err := connect(ctx, s.Place)
	if err != nil {
		return nil, err
	}
	image, err := imageOf(s.Place)
	if err != nil {
		return nil, err
	}
	r := &Runtime{
		cluster: cluster, o: s.Options.WithDefaults(), image: image,
		services: map[string]*service{}, addresses: launch.Addresses{}, files: map[string]map[string][]byte{}, located: map[string]string{},
		watching: func() {},
	}
	r.client = cluster.In(namespaceOf(r.o.Record.Run()))
	r.where = fmt.Sprintf("the namespace %s of Kubernetes %s at %s", r.client.Namespace(), version, cluster.Address())
	return r, nil
}

func namespaceOf(run string) string { return "rehearse-" + run }

// Name is "kubernetes".
func (r *Runtime) Name() string { return name }

// Labels are those that all objects of the run carry.
func (r *Runtime) Labels() map[string]string {
	return map[string]string{LabelManaged: "rehearse", LabelRun: r.o.Record.Run()}
}

func (r *Runtime) labelsOf(service string) map[string]string {
	labels := r.Labels()
	labels[LabelService] = service
	return labels
}

// selectorOf finds the pods of a service.
func selectorOf(service string) string { return LabelService + "=" + service }

// Start starts services as world.Runtime says. After an error, Stop removes those that
// were started.
func (r *Runtime) Start(ctx context.Context, specs []world.Spec) error {
	for _, spec := range specs {
		switch {
		case spec.Build != nil:
			return fmt.Errorf("start %s: %w: no cluster builds images: name one that it has or can pull", spec.Name, world.ErrNoImage)
		case len(spec.Volumes) > 0:
			return fmt.Errorf("start %s: %w: volumes are copied into containers; in a cluster have them in the image, or as files", spec.Name, world.ErrCannot)
		case spec.Image == "" && spec.Serve == "":
			return fmt.Errorf("start %s: it is a command of this machine, and needs processes: run with --runtime process", spec.Name)
		case spec.Folder != "" && !mounted(spec.Brought):
			return fmt.Errorf("start %s: %w: in a cluster files come as a Secret or a ConfigMap (distribution: secret-volume, config-map), and not as %s", spec.Name, world.ErrCannot, spec.Brought)
		}
	}
	if err := r.makeNamespace(ctx); err != nil {
		return err
	}
	if err := r.address(specs); err != nil {
		return err
	}
	prepare := func(ctx context.Context, spec world.Spec) error { return r.service(spec.Name).create(ctx) }
	start := func(ctx context.Context, spec world.Spec) error { return r.service(spec.Name).start(ctx) }
	return launch.InOrder(ctx, specs, r.ready, r.resolve, prepare, start)
}

// address says where each service will be reached inside.
func (r *Runtime) address(specs []world.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, spec := range specs {
		if r.services[spec.Name] != nil {
			return fmt.Errorf("start %s: a service of this name is there already", spec.Name)
		}
		if spec.Serve != "" {
			spec.Port = standInPort
		}
		r.services[spec.Name] = &service{runtime: r, spec: spec}
		r.addresses[spec.Name] = launch.Address{Host: spec.Name, Port: spec.Port, HTTPS: spec.HTTPS}
	}
	return nil
}

// makeNamespace makes the run's namespace, with the Lease that says that the run is
// alive, and begins to watch its pods.
func (r *Runtime) makeNamespace(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lease != nil {
		return nil
	}
	// Not cut short half-way: what is made must be known.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	record := r.o.Record
	labels := r.Labels()
	// Servers that are somebody else's start as root, and give that up by themselves.
	labels["pod-security.kubernetes.io/enforce"] = "baseline"
	err := r.cluster.Create(asking, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: r.client.Namespace(), Labels: labels, Annotations: map[string]string{
			AnnotationHost: record.Host(), AnnotationHarness: record.Harness().String(), AnnotationStarted: time.Now().UTC().Format(time.RFC3339),
		},
	}})
	if err != nil {
		return fmt.Errorf("make the run's namespace: %w", err)
	}
	if r.lease, err = r.client.Hold(asking, Lease, record.Run(), r.Labels()); err != nil {
		return fmt.Errorf("make the run's namespace: %w", err)
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	r.watching = end
	f := &followers{runtime: r, known: map[string]*follower{}}
	r.tasks.Go(func() {
		_ = r.client.Pods(watching, LabelRun+"="+record.Run(), func(pods []corev1.Pod) { f.see(watching, pods) })
		f.tasks.Wait()
	})
	return nil
}

// resolve is what a word of an address stands for.
func (r *Runtime) resolve(w contract.Word) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addresses.Resolve(w)
}

func (r *Runtime) service(name string) *service {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.services[name]
}

// ready says whether a service was started and is there.
func (r *Runtime) ready(name string) bool {
	s := r.service(name)
	return s != nil && s.is() == up
}

// URL is http://NAME:PORT inside, and outside the loopback port from which it is
// forwarded. It is empty for an unknown service, and outside for one that has no port.
func (r *Runtime) URL(name string, inside bool) string {
	r.mu.Lock()
	address, known := r.addresses[name]
	s := r.services[name]
	r.mu.Unlock()
	switch {
	case !known:
		return ""
	case inside:
		return address.URL()
	}
	return s.outside()
}

// ServiceAt is the service whose pod has an address, or had it.
func (r *Runtime) ServiceAt(ip string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.located[ip]
}

// Stop ends all services, waits for the ends of their logs, and removes the namespace,
// whatever became of the context. It takes "already gone" for done.
func (r *Runtime) Stop(ctx context.Context) error {
	r.mu.Lock()
	services, lease := r.services, r.lease
	r.services, r.addresses, r.lease = map[string]*service{}, launch.Addresses{}, nil
	r.mu.Unlock()
	if lease == nil {
		return nil
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	stopped := launch.StopAll(services, func(s *service) error { return s.stop(ending) })
	r.watching()
	r.tasks.Wait()
	released := lease.Release(ending)
	gone := r.cluster.Delete(ending, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.client.Namespace()}})
	if gone == nil {
		gone = r.cluster.AwaitGone(ending, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.client.Namespace()}})
	}
	return errors.Join(stopped, released, gone)
}

// Image is the first of several images that a node has; where none is known to have
// one it is the first of them, for the cluster to pull.
func (r *Runtime) Image(ctx context.Context, images ...string) (string, error) {
	if len(images) == 0 {
		return "", world.ErrNoImage
	}
	var nodes corev1.NodeList
	if err := r.cluster.List(ctx, "", &nodes); err != nil {
		return images[0], nil // whoever may not look at nodes may use them
	}
	for _, image := range images {
		for _, node := range nodes.Items {
			for _, there := range node.Status.Images {
				for _, called := range there.Names {
					if called == image || strings.TrimPrefix(strings.TrimPrefix(called, "docker.io/"), "library/") == image {
						return image, nil
					}
				}
			}
		}
	}
	return images[0], nil
}

// ImageLabel is "": a cluster does not tell the labels of its images.
func (*Runtime) ImageLabel(context.Context, string, string) (string, error) { return "", nil }
