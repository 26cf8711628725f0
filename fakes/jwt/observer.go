package jwt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// interceptor stands in http.DefaultTransport, where all three libraries end
// that fetch key sets with nothing configured: go-oidc and keyfunc through
// http.DefaultClient, jwx through a client without a transport. So they can be
// watched without touching any of their settings.
type interceptor struct {
	next http.RoundTripper

	mu        sync.RWMutex
	observers map[string]*observer // by URL of the key set
}

// intercept puts the interceptor in its place, once per process. It stays
// there: to take it out again would race with a library that still fetches.
var intercept = sync.OnceValue(func() *interceptor {
	i := &interceptor{next: http.DefaultTransport, observers: map[string]*observer{}}
	http.DefaultTransport = i
	return i
})

var _ http.RoundTripper = (*interceptor)(nil)

// RoundTrip passes a request on, and shows to its observer what came of it.
func (i *interceptor) RoundTrip(req *http.Request) (*http.Response, error) {
	i.mu.RLock()
	o := i.observers[req.URL.String()]
	i.mu.RUnlock()
	if o == nil {
		return i.next.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", o.agent)
	resp, err := i.next.RoundTrip(req)
	if err != nil {
		o.failed(req.URL.Host, err)
		return nil, err
	}
	from := answeredBy(resp.Header, req.URL)
	if resp.StatusCode != http.StatusOK {
		o.failed(from, fmt.Errorf("status %s", resp.Status))
		return resp, nil
	}
	resp.Body = &observedBody{ReadCloser: resp.Body, from: from, observer: o}
	return resp, nil
}

// CloseIdleConnections does so in the transport below, as
// http.Client.CloseIdleConnections expects of a transport.
func (i *interceptor) CloseIdleConnections() {
	if closer, ok := i.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// answeredBy is the pseudonym of the last proxy on the way (RFC 9110 §7.6.3),
// or the host that was asked.
func answeredBy(header http.Header, asked *url.URL) string {
	hops := strings.Split(strings.Join(header.Values("Via"), ","), ",")
	if words := strings.Fields(hops[len(hops)-1]); len(words) >= 2 {
		return words[1]
	}
	return asked.Host
}

// observedBody keeps what its reader has read, and shows it when the reader is
// done. The libraries close a body after they have put its keys to use: keyfunc
// and jwx by a deferred Close, go-oidc a few instructions before.
type observedBody struct {
	io.ReadCloser
	from     string
	observer *observer
	read     bytes.Buffer
	once     sync.Once
}

// Read keeps what is read, as far as a document may be long.
func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.read.Len() <= standin.MaxDocument {
		b.read.Write(p[:n])
	}
	return n, err
}

// Close shows what was read.
func (b *observedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		kids, parseErr := kidsOf(b.read.Bytes())
		if parseErr != nil {
			b.observer.failed(b.from, parseErr)
			return
		}
		b.observer.fetched(kids, b.from)
	})
	return err
}

// kidsOf lists the kids of a key set. An object without keys counts as an
// empty set, as it does for go-oidc and keyfunc.
func kidsOf(document []byte) ([]string, error) {
	var set struct {
		Keys []struct {
			KID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("parse key set: %w", err)
	}
	kids := make([]string, 0, len(set.Keys))
	for _, key := range set.Keys {
		kids = append(kids, key.KID)
	}
	return kids, nil
}

// observer logs what a library fetches, learns and forgets.
type observer struct {
	log   *slog.Logger
	agent string
	stop  func() // takes it out of the interceptor

	mu    sync.Mutex
	keeps func(fetched []string) []string
	holds []string
	early []observedFetch // those before the library could be asked what it keeps
}

type observedFetch struct {
	kids []string
	from string
}

// observe watches the fetches of a URL, which get agent as their User-Agent.
func observe(jwks, agent string, log *slog.Logger) (*observer, error) {
	i := intercept()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.observers[jwks] != nil {
		return nil, fmt.Errorf("observe %s: another verifier of this process does so already", jwks)
	}
	o := &observer{log: log, agent: agent}
	o.stop = func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.observers, jwks)
	}
	i.observers[jwks] = o
	return o, nil
}

// start says how to ask the library what it keeps, and logs what it fetched
// while it was being built.
func (o *observer) start(keeps func([]string) []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keeps = keeps
	for _, fetch := range o.early {
		o.tell(fetch)
	}
	o.early = nil
}

func (o *observer) fetched(kids []string, from string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fetch := observedFetch{kids, from}
	if o.keeps == nil {
		o.early = append(o.early, fetch)
		return
	}
	o.tell(fetch)
}

// tell logs a fetch and what it changed; o.mu is held.
func (o *observer) tell(fetch observedFetch) {
	holds := o.keeps(fetch.kids)
	standin.TellFetched(o.log, fetch.from, fetch.kids, o.holds, holds)
	o.holds = slices.Clone(holds)
}

func (o *observer) failed(from string, err error) {
	o.log.Warn(string(history.KindFetchFailed), "detail", err.Error(), "from", from)
}
