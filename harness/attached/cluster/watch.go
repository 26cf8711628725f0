package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Follow passes on the log lines of all pods from now on, and records pods that come and go, until ctx
// ends.
func (c *Cluster) Follow(ctx context.Context, record func(history.Event), line func(service, pod string, raw []byte)) []func() {
	c.mu.Lock()
	c.record = record
	c.mu.Unlock()
	since := time.Now()
	var all []func()
	for _, service := range slices.Sorted(maps.Keys(c.workloads)) {
		w := c.workloads[service]
		all = append(all, func() {
			var follows sync.WaitGroup
			defer follows.Wait()
			known := map[string]context.CancelFunc{}
			tell := func(pods []corev1.Pod) {
				w.set(pods)
				there := map[string]bool{}
				for _, p := range pods {
					there[p.Name] = true
					if _, ok := known[p.Name]; !ok && p.Spec.NodeName != "" {
						following, cancel := context.WithCancel(ctx)
						known[p.Name] = cancel
						record(history.Event{Kind: history.KindPod, Service: service, Replica: p.Name, What: history.PodCame, Detail: "on " + p.Spec.NodeName})
						follows.Go(func() { c.followLog(following, w, &p, since, line) })
					}
				}
				for name, cancel := range known {
					if !there[name] {
						cancel()
						delete(known, name)
						record(history.Event{Kind: history.KindPod, Service: service, Replica: name, What: history.PodWent})
					}
				}
			}
			if err := c.client.Pods(ctx, w.selector, tell); err != nil && ctx.Err() == nil {
				record(history.Event{Kind: history.KindUnseen, Service: service, Detail: err.Error()})
			}
			for _, cancel := range known {
				cancel()
			}
		})
	}
	return all
}

// followLog follows the log of one pod until that is gone. A container that starts
// again writes on.
func (c *Cluster) followLog(ctx context.Context, w *workload, p *corev1.Pod, since time.Time, line func(service, pod string, raw []byte)) {
	for ctx.Err() == nil {
		err := c.client.Logs(ctx, p.Name, container(p), since, func(raw []byte) { line(w.service, p.Name, raw) })
		if err == nil {
			since = time.Now()
		}
		_ = world.WallClock{}.Sleep(ctx, logAgain) // its end is looked at above
	}
}

// tell records an event.
func (c *Cluster) tell(e history.Event) {
	c.mu.Lock()
	record := c.record
	c.mu.Unlock()
	record(e)
}

// look finds out, for each pod that mounts a Secret as a volume, when the kubelet delivers the change
// that is being written now. The function that it returns is called once that is written, with the
// credential.
func (c *Cluster) look(ctx context.Context, step, secret string) (written func(credential string)) {
	type place struct {
		w      *workload
		pod    corev1.Pod
		folder string
		was    string
		err    error
	}
	var places []*place
	for _, service := range slices.Sorted(maps.Keys(c.workloads)) {
		for _, p := range c.workloads[service].ready() {
			for _, m := range mountsOf(&p, secret) {
				at := &place{w: c.workloads[service], pod: p, folder: m.MountPath}
				switch {
				case m.SubPath != "" || m.SubPathExpr != "":
					at.err = errors.New("it is mounted by subPath, and stays as it was when the pod started")
				case !c.is.Exec:
					at.err = errors.New("attach.kubernetes.exec does not allow to look into the pod")
				default:
					at.was, at.err = c.readlink(ctx, &p, at.folder)
				}
				places = append(places, at)
			}
		}
	}
	return func(credential string) {
		for _, at := range places {
			event := history.Event{Kind: history.KindPod, Service: at.w.service, Replica: at.pod.Name, What: history.PodSaw, Step: step, Credential: credential}
			if at.err != nil {
				event.What, event.Detail = history.PodUnseen, at.err.Error()
				c.tell(event)
				continue
			}
			c.looking.Go(func() {
				looking, cancel := context.WithTimeout(c.ended, lookFor)
				defer cancel()
				tick := time.NewTicker(lookEvery)
				defer tick.Stop()
				for {
					is, err := c.readlink(looking, &at.pod, at.folder)
					if err == nil && is != at.was {
						c.tell(event)
						return
					}
					select {
					case <-tick.C:
					case <-looking.Done():
						if c.ended.Err() == nil {
							event.What, event.Detail = history.PodUnseen, fmt.Sprintf("its kubelet did not bring it within %s", lookFor)
							c.tell(event)
						}
						return
					}
				}
			})
		}
	}
}

// readlink reads the link ..data of a volume: with each change the kubelet writes a new folder and
// moves the link there (pkg/volume/util/atomic_writer.go).
func (c *Cluster) readlink(ctx context.Context, p *corev1.Pod, folder string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return c.client.Exec(ctx, p.Name, container(p), "readlink", folder+"/..data")
}

// mountsOf are the mounts of a Secret in a pod's container.
func mountsOf(p *corev1.Pod, secret string) (all []corev1.VolumeMount) {
	for _, v := range p.Spec.Volumes {
		projected := v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool { return s.Secret != nil && s.Secret.Name == secret })
		if !projected && (v.Secret == nil || v.Secret.SecretName != secret) {
			continue
		}
		for _, of := range p.Spec.Containers {
			for _, m := range of.VolumeMounts {
				if of.Name == container(p) && m.Name == v.Name {
					all = append(all, m)
				}
			}
		}
	}
	return all
}
