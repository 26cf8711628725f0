package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/remotecommand"
)

const (
	// watchAgain is how long until a watch that broke off begins anew.
	watchAgain = time.Second
	// lostLog is what a kubelet (1.37) answers of a container that is gone.
	lostLog = "unable to retrieve container logs for "
	// maxLine bounds a line of a log; what is longer comes in pieces.
	maxLine = 1 << 20
	// maxPrinted bounds what is kept of what a command prints.
	maxPrinted = 1 << 20
)

// Ready reports whether a pod is ready and is not about to end: whether a Service
// would send it anything new.
func Ready(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// Over reports whether a pod has ended and does not come back.
func Over(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// Pods tells which pods have the labels of a selector: how it stands now, and
// after each change, in the order of their names, until ctx ends. The error is
// that of the first look; a watch that breaks off later begins anew.
func (c *Client) Pods(ctx context.Context, selector string, tell func([]corev1.Pod)) error {
	known := map[string]corev1.Pod{}
	list := func() (version string, err error) {
		var all corev1.PodList
		if err := c.List(ctx, selector, &all); err != nil {
			return "", err
		}
		clear(known)
		for _, p := range all.Items {
			known[p.Name] = p
		}
		tell(inOrder(known))
		return all.ResourceVersion, nil
	}
	version, err := list()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if version != "" {
			version = c.watchPods(ctx, selector, version, known, tell)
		}
		if version == "" { // too old, or the watch cannot say: look again
			if version, err = list(); err != nil {
				wait(ctx, watchAgain)
			}
		}
	}
	return nil
}

// watchPods follows changes after a version, and returns the one from which to go
// on; "": from a new list.
func (c *Client) watchPods(ctx context.Context, selector, version string, known map[string]corev1.Pod, tell func([]corev1.Pod)) string {
	request := c.versions[corev1.SchemeGroupVersion].Get().Namespace(c.namespace).Resource("pods").
		Param("watch", "true").Param("resourceVersion", version).Param("allowWatchBookmarks", "true")
	if selector != "" {
		request = request.Param("labelSelector", selector)
	}
	w, err := request.Watch(ctx)
	if err != nil {
		wait(ctx, watchAgain)
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			return ""
		}
		return version
	}
	defer w.Stop()
	for {
		var e watch.Event
		var open bool
		select {
		case <-ctx.Done():
			return version
		case e, open = <-w.ResultChan():
		}
		p, ok := e.Object.(*corev1.Pod)
		if open && !ok {
			return "" // an error, which is about the version
		}
		if !open {
			return version
		}
		version = p.ResourceVersion
		switch e.Type {
		case watch.Bookmark:
			continue
		case watch.Deleted:
			delete(known, p.Name)
		default:
			known[p.Name] = *p
		}
		tell(inOrder(known))
	}
}

func inOrder(known map[string]corev1.Pod) []corev1.Pod {
	var all []corev1.Pod
	for _, name := range slices.Sorted(maps.Keys(known)) {
		all = append(all, known[name])
	}
	return all
}

// AwaitPods waits until what a selector finds is as wanted, and says in an error
// what it last saw.
func (c *Client) AwaitPods(ctx context.Context, selector string, wanted func([]corev1.Pod) bool) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	var last []corev1.Pod
	seen := false
	err := c.Pods(watching, selector, func(all []corev1.Pod) {
		if last = all; !seen && wanted(all) {
			seen = true
			cancel()
		}
	})
	if seen {
		return nil
	}
	return fmt.Errorf("wait for the pods of %s: %w; they are: %s", selector, errors.Join(err, ctx.Err()), Describe(last))
}

// Describe says how pods stand, in a line: each by its name, with its phase or why
// a container of it waits.
func Describe(pods []corev1.Pod) string {
	var said []string
	for _, p := range pods {
		is := string(p.Status.Phase)
		switch {
		case p.DeletionTimestamp != nil:
			is = "ending"
		case Ready(&p):
			is = "ready"
		}
		for _, s := range p.Status.ContainerStatuses {
			if w := s.State.Waiting; w != nil && w.Reason != "" {
				is += ", " + s.Name + ": " + w.Reason
			}
		}
		said = append(said, p.Name+" ("+is+")")
	}
	if len(said) == 0 {
		return "none"
	}
	return strings.Join(said, ", ")
}

// Logs hands on the lines that a container of a pod writes, from a time on, until
// ctx or the container ends. "" is its only container.
func (c *Client) Logs(ctx context.Context, pod, container string, since time.Time, line func([]byte)) error {
	request := c.versions[corev1.SchemeGroupVersion].Get().Namespace(c.namespace).Resource("pods").Name(pod).SubResource("log").
		Param("follow", "true").Param("sinceTime", metav1.NewTime(since.UTC()).Format(time.RFC3339))
	if container != "" {
		request = request.Param("container", container)
	}
	stream, err := request.Stream(ctx)
	if err != nil {
		return fmt.Errorf("follow the log of %s: %w", pod, err)
	}
	err = lines(stream, func(raw []byte) {
		if !bytes.HasPrefix(raw, []byte(lostLog)) { // the kubelet says that, in the place of a log
			line(raw)
		}
	})
	if closed := stream.Close(); err == nil {
		err = closed
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("follow the log of %s: %w", pod, err)
	}
	return nil
}

// Recent are the last lines of the log of a container.
func (c *Client) Recent(ctx context.Context, pod, container string, most int) (all [][]byte, err error) {
	request := c.versions[corev1.SchemeGroupVersion].Get().Namespace(c.namespace).Resource("pods").Name(pod).SubResource("log").
		Param("tailLines", strconv.Itoa(most))
	if container != "" {
		request = request.Param("container", container)
	}
	raw, err := request.DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", pod, err)
	}
	return all, lines(bytes.NewReader(raw), func(line []byte) { all = append(all, line) })
}

// lines hands on the lines of a stream, each a copy, until it ends.
func lines(from io.Reader, line func([]byte)) error {
	reader := bufio.NewReaderSize(from, 64<<10)
	var rest []byte
	for {
		part, err := reader.ReadSlice('\n')
		rest = append(rest, part...)
		if whole := err == nil; whole || len(rest) >= maxLine || err == io.EOF && len(rest) > 0 {
			line(bytes.TrimRight(slices.Clone(rest), "\r\n"))
			rest = rest[:0]
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// Exec runs a command in a container of a pod until it ends, and returns what it
// printed. An error holds nothing of that.
func (c *Client) Exec(ctx context.Context, pod, container string, command ...string) (string, error) {
	request := c.versions[corev1.SchemeGroupVersion].Get().Namespace(c.namespace).Resource("pods").Name(pod).SubResource("exec").
		Param("stdout", "true").Param("stderr", "true")
	if container != "" {
		request = request.Param("container", container)
	}
	for _, word := range command {
		request = request.Param("command", word)
	}
	executor, err := remotecommand.NewWebSocketExecutor(c.config, "GET", request.URL().String())
	if err != nil {
		return "", fmt.Errorf("run %s in %s: %w", command[0], pod, err)
	}
	out, complaints := bounded{most: maxPrinted}, bounded{most: maxPrinted}
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &complaints}); err != nil {
		return "", fmt.Errorf("run %s in %s: %w", command[0], pod, err)
	}
	return out.String(), nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), b.most-b.Len())])
	return len(p), nil
}
