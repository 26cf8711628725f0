package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// podWithin bounds how long a new connection waits for a pod that is ready: as
// long as a client's own SYN is usually tried again.
const podWithin = 5 * time.Second

// Forward takes connections on loopback to the pods of a selector that are ready,
// in turns. It is safe for concurrent use.
//
// client-go's PortForwarder serves one pod, and does not return when that dies;
// its listener goes with it. Here the listener stays, and the watch on the pods
// says whom it leads to.
type Forward struct {
	client   *Client
	selector string
	port     int
	listener net.Listener
	end      context.CancelFunc
	tasks    sync.WaitGroup
	requests atomic.Int64

	mu      sync.Mutex
	ready   []string // the pods that take new connections
	there   []string // those whose connections live on
	changed chan struct{}
	turn    int
	links   map[string]*link // by pod
}

// link is the connection to a pod, made once and shared by what goes there.
type link struct {
	dialled chan struct{} // closed when conn or err is set
	conn    httpstream.Connection
	err     error
}

// Forward begins to forward to a port of the pods of a selector, such as
// "app=search", or of one pod by "pod/NAME". It goes on until Close.
func (c *Client) Forward(ctx context.Context, to string, port int) (*Forward, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("forward to %s: %w", to, err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	f := &Forward{client: c, selector: to, port: port, listener: listener, end: end, changed: make(chan struct{}), links: map[string]*link{}}
	if name, one := strings.CutPrefix(to, "pod/"); one {
		f.ready, f.there = []string{name}, []string{name}
	} else {
		watching := make(chan error, 1)
		first := sync.OnceFunc(func() { watching <- nil })
		f.tasks.Go(func() {
			if err := c.Pods(ctx, to, func(pods []corev1.Pod) { f.lead(pods); first() }); err != nil {
				watching <- err
			}
		})
		if err := <-watching; err != nil {
			end()
			f.tasks.Wait()
			return nil, fmt.Errorf("forward to %s: %w", to, errors.Join(err, listener.Close()))
		}
	}
	f.tasks.Go(func() { f.accept(ctx) })
	return f, nil
}

// Address is where it listens, as 127.0.0.1:40123.
func (f *Forward) Address() string { return f.listener.Addr().String() }

// Close ends the forward with all connections that go through it.
func (f *Forward) Close() error {
	f.end()
	err := f.listener.Close()
	f.lead(nil)
	f.tasks.Wait()
	return err
}

// lead takes pods as they are now: new connections go to those that are ready, and
// those of a pod that is gone are ended.
func (f *Forward) lead(pods []corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ready, f.there = nil, nil
	for _, p := range pods {
		if Over(&p) {
			continue
		}
		f.there = append(f.there, p.Name)
		if Ready(&p) {
			f.ready = append(f.ready, p.Name)
		}
	}
	for name, l := range f.links {
		if !slices.Contains(f.there, name) {
			f.drop(name, l)
		}
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// drop forgets a link, with the lock held, and closes it once it is there.
func (f *Forward) drop(pod string, l *link) {
	if f.links[pod] == l {
		delete(f.links, pod)
	}
	f.tasks.Go(func() {
		if <-l.dialled; l.conn != nil {
			_ = l.conn.Close()
		}
	})
}

func (f *Forward) accept(ctx context.Context) {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // it was closed
		}
		f.tasks.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			defer conn.Close()
			f.carry(ctx, conn)
		})
	}
}

// carry carries one connection to a pod. Where the way to one is broken another is
// tried, and what has begun is not begun anew.
func (f *Forward) carry(ctx context.Context, conn net.Conn) {
	const tries = 3
	for range tries {
		pod := f.next(ctx)
		if pod == "" {
			return
		}
		l := f.link(pod)
		if <-l.dialled; l.err == nil {
			if data, failed, err := f.open(l.conn); err == nil {
				exchange(l.conn, conn, data, failed)
				return
			}
		}
		f.mu.Lock()
		if f.links[pod] == l {
			f.drop(pod, l)
		}
		f.mu.Unlock()
	}
}

// next is the pod whose turn it is; "" where none got ready in time.
func (f *Forward) next(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, podWithin)
	defer cancel()
	for {
		f.mu.Lock()
		changed := f.changed
		if n := len(f.ready); n > 0 {
			f.turn++
			pod := f.ready[f.turn%n]
			f.mu.Unlock()
			return pod
		}
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ""
		}
	}
}

// link is the connection to a pod; the first who asks makes it.
func (f *Forward) link(pod string) *link {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.links[pod]; l != nil {
		return l
	}
	l := &link{dialled: make(chan struct{})}
	f.links[pod] = l
	f.tasks.Go(func() {
		defer close(l.dialled)
		l.conn, l.err = f.client.dialPod(pod)
	})
	return l
}

// dialPod makes a connection to a pod, through the API server: by WebSocket, and by
// SPDY where something on the way knows no WebSockets.
func (c *Client) dialPod(pod string) (httpstream.Connection, error) {
	url := c.versions[corev1.SchemeGroupVersion].Post().Namespace(c.namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	first, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, c.config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(first, spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url), func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	return conn, err
}

// open opens the two streams of one forwarded connection: that of the data, and
// that on which the kubelet says why there is none.
func (f *Forward) open(conn httpstream.Connection) (data, failed httpstream.Stream, err error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(f.port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(f.requests.Add(1), 10))
	if failed, err = conn.CreateStream(headers); err != nil {
		return nil, nil, err
	}
	_ = failed.Close() // nothing is written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	if data, err = conn.CreateStream(headers); err != nil {
		conn.RemoveStreams(failed)
		return nil, nil, err
	}
	return data, failed, nil
}

// exchange carries both ways until the pod's side has ended, or the client's broke
// off. That the pod's port is closed is an end too, as it would be without us.
func exchange(link httpstream.Connection, conn net.Conn, data, failed httpstream.Stream) {
	defer link.RemoveStreams(data, failed)
	var both sync.WaitGroup
	broken := make(chan struct{})
	answered := make(chan struct{})
	both.Go(func() {
		defer close(answered)
		_, _ = io.Copy(conn, data)
		_ = conn.Close() // which ends the other way, too
	})
	both.Go(func() {
		_, err := io.Copy(data, conn)
		_ = data.Close() // no more will be asked
		if err != nil {
			close(broken)
		}
	})
	select {
	case <-answered:
	case <-broken:
	}
	// What was not sent yet would keep the link from everybody else.
	_ = data.Reset()
	both.Wait()
	_, _ = io.Copy(io.Discard, failed)
}
