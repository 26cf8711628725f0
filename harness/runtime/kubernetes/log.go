package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// logAgain is how long until a log is opened again that cannot be read yet.
const logAgain = 100 * time.Millisecond

// followers follow the logs of all pods of a run, and tell when one ends.
type followers struct {
	runtime *Runtime
	known   map[string]*follower // by pod and life of its container
	tasks   sync.WaitGroup
}

// follower follows one life of a container.
type follower struct{ ended chan struct{} }

// see takes pods as they are now. It is called by one goroutine.
func (f *followers) see(ctx context.Context, pods []corev1.Pod) {
	r := f.runtime
	for _, p := range pods {
		r.mu.Lock()
		service := r.serviceOf(&p)
		if p.Status.PodIP != "" {
			r.located[p.Status.PodIP] = service
		}
		s := r.services[service]
		r.mu.Unlock()
		for _, c := range p.Status.ContainerStatuses {
			if c.Name != mainContainer || c.State.Running == nil && c.State.Terminated == nil {
				continue
			}
			if t := c.State.Terminated; t != nil && ofJob(&p) && s != nil && s.is() == up {
				s.become(down) // told once
				r.o.OnExit(service, exit(t))
			}
			life := fmt.Sprintf("%s/%d", p.UID, c.RestartCount)
			if f.known[life] != nil {
				continue
			}
			if c.RestartCount > 0 && s != nil && s.is() == up && p.DeletionTimestamp == nil {
				why := errors.New("its kubelet started it again")
				if t := c.LastTerminationState.Terminated; t != nil {
					why = fmt.Errorf("%w; its kubelet started it again", exit(t))
				}
				r.o.OnExit(service, why)
			}
			one := &follower{ended: make(chan struct{})}
			f.known[life] = one
			before := f.known[fmt.Sprintf("%s/%d", p.UID, c.RestartCount-1)]
			f.tasks.Go(func() {
				defer close(one.ended)
				if before != nil {
					<-before.ended // lines of one service come in order
				}
				f.follow(ctx, service, p.Name)
			})
		}
	}
}

// from is a line of a stand-in's log, which is JSON, with the pod that wrote it.
func from(pod string, line []byte) []byte {
	if len(line) < 3 || line[0] != '{' || !json.Valid(line) {
		return line
	}
	return append(fmt.Appendf(nil, `{"pod":%q,`, pod), line[1:]...)
}

// follow delivers the log of a container until it ends. A log that breaks off without
// a line is opened again, for as long as the pod is watched.
func (f *followers) follow(ctx context.Context, service, pod string) {
	for range 50 {
		lines := 0
		err := f.runtime.client.Logs(ctx, pod, mainContainer, time.Unix(0, 0), func(line []byte) {
			lines++
			f.runtime.o.Sink(service, from(pod, line))
		})
		if err == nil || lines > 0 || ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(logAgain):
		}
	}
}
