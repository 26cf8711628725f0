package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// stage is how far a service has come.
type stage int

const (
	starting stage = iota
	up
	down // killed on request
	ending
)

// service is one party of the run: a Deployment of one pod, or a pod of a Job.
type service struct {
	runtime *Runtime
	spec    world.Spec

	mu          sync.Mutex
	stage       stage
	environment map[string]string // of its pods
	forward     *kubernetes.Forward
}

func (s *service) is() stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage
}

func (s *service) become(now stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage = now
}

func (s *service) outside() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forward == nil {
		return ""
	}
	return launch.Scheme(s.spec.HTTPS) + "://" + s.forward.Address()
}

// create makes all that a service needs, and no pod yet.
func (s *service) create(ctx context.Context) error {
	// Not cut short half-way: what is made must be known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	environment, err := s.variables()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.environment = environment
	s.mu.Unlock()
	objects := []kubernetes.Object{s.secret("environment", texts(environment))}
	static, err := s.static()
	if err != nil {
		return err
	}
	if len(static) > 0 {
		objects = append(objects, s.secret("static", static))
	}
	if s.spec.Port != 0 && !s.shares() {
		objects = append(objects, s.address())
	}
	for _, o := range objects {
		if err := s.make(ctx, o); err != nil {
			return err
		}
	}
	if s.spec.Folder != "" {
		return s.runtime.mount(ctx, s)
	}
	return nil
}

// start makes the Deployment or the Job, and returns when its pod is ready.
func (s *service) start(ctx context.Context) error {
	workload, err := s.workload()
	if err != nil {
		return err
	}
	if err := s.make(ctx, workload); err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	if s.spec.Port != 0 {
		forward, err := s.runtime.client.Forward(ctx, s.selector(), s.spec.Port)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.forward = forward
		s.mu.Unlock()
		if s.spec.Serve != "" { // the way there is made before anything is timed
			if err := launch.Ready(ctx, s.outside(), s.healthPath(), nil); err != nil {
				return err
			}
		}
	}
	s.become(up)
	return nil
}

// awaitReady waits until the pod of the service is ready, and no longer where it will
// not be: an image that is not to be had, or a process that has ended.
func (s *service) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.runtime.o.ReadyWithin)
	defer cancel()
	var never error
	err := s.runtime.client.AwaitPods(ctx, s.selector(), func(pods []corev1.Pod) bool {
		for _, p := range pods {
			if never = whyNever(p); never != nil {
				return true
			}
		}
		return len(pods) == 1 && kubernetes.Ready(&pods[0])
	})
	if never != nil {
		return never
	}
	return err
}

// noImage are the reasons for which the kubelet does not have an image
// (pkg/kubelet/images: types.go of Kubernetes 1.37).
var noImage = []string{"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageInspect", "RegistryUnavailable"}

// whyNever says why a pod will not get ready; nil: it may.
func whyNever(p corev1.Pod) error {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && slices.Contains(noImage, w.Reason) {
			return fmt.Errorf("%w: the cluster does not have %s and could not pull it: %s", world.ErrNoImage, c.Image, w.Reason)
		}
		if w := c.State.Waiting; w != nil && strings.HasPrefix(w.Reason, "CreateContainer") {
			return fmt.Errorf("its container cannot be made: %s: %s", w.Reason, w.Message)
		}
		ended := c.LastTerminationState.Terminated
		if ofJob(&p) && c.Name == mainContainer {
			ended = c.State.Terminated
		}
		if ended != nil {
			return fmt.Errorf("%w: %w", launch.ErrEnded, exit(ended))
		}
	}
	return nil
}

// exit says how a container ended.
func exit(t *corev1.ContainerStateTerminated) error {
	if t.Reason == "OOMKilled" {
		return fmt.Errorf("exit status %d: out of memory", t.ExitCode)
	}
	return launch.Exit(t.ExitCode)
}

// stop ends the service, and returns when its pod has ended.
func (s *service) stop(ctx context.Context) error {
	s.mu.Lock()
	s.stage = ending
	forward := s.forward
	s.forward = nil
	s.mu.Unlock()
	var errs []error
	if forward != nil {
		errs = append(errs, forward.Close())
	}
	errs = append(errs, s.runtime.client.Delete(ctx, s.named()))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.runtime.client.AwaitPods(ctx, s.selector(), func(pods []corev1.Pod) bool { return len(pods) == 0 })
}

// scale has the Deployment have so many pods.
func (s *service) scale(ctx context.Context, pods int32) error {
	return s.runtime.client.Patch(ctx, s.spec.Name, map[string]any{"spec": map[string]any{"replicas": pods}}, &appsv1.Deployment{})
}

// running is a started service by name, for faults.
func (r *Runtime) running(verb, name string) (*service, error) {
	s := r.service(name)
	switch {
	case s == nil:
		return nil, fmt.Errorf("%s %s: not a service of this run", verb, name)
	case s.is() != up:
		return nil, fmt.Errorf("%s %s: it is not running", verb, name)
	}
	return s, nil
}

// Kill ends a service at once: its Deployment has no pods any more, and the one that it
// had no time to end. When it returns, its address refuses connections.
func (r *Runtime) Kill(ctx context.Context, name string) error {
	s, err := r.running("kill", name)
	if err != nil {
		return err
	}
	s.become(down)
	if err := s.scale(ctx, 0); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	var pods corev1.PodList
	if err := r.client.List(ctx, selectorOf(name), &pods); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	for i := range pods.Items {
		if err := r.client.Kill(ctx, &pods.Items[i]); err != nil {
			return fmt.Errorf("kill %s: %w", name, err)
		}
	}
	if err := r.client.AwaitPods(ctx, selectorOf(name), func(pods []corev1.Pod) bool { return len(pods) == 0 }); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	r.o.OnExit(name, launch.ErrKilled)
	return nil
}

// Restart starts a service that was killed, at the same address, and returns when it is ready.
func (r *Runtime) Restart(ctx context.Context, name string) error {
	s := r.service(name)
	if s == nil {
		return fmt.Errorf("restart %s: not a service of this run", name)
	}
	if s.is() != down {
		return fmt.Errorf("restart %s: it is still running", name)
	}
	if err := s.scale(ctx, 1); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	if err := s.awaitReady(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	s.become(up)
	return nil
}
