package jwt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

const (
	// cacheEntries bounds how many answers a cache keeps; more are passed through.
	cacheEntries = 1024
	// fillDeadline bounds one fetch from the origin, which several readers may
	// be waiting for.
	fillDeadline = 10 * time.Second
)

// ServeCache runs a caching reverse proxy as a CDN with a fixed TTL is: it
// keeps every 200 to a GET for that long, whatever the origin's headers or the
// reader's say, and lets the readers of one address share one fetch.
func ServeCache(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Cache
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := standin.Require("name", c.Name, "of", c.Of); err != nil {
		return err
	}
	origin, err := url.Parse(c.Of)
	if err != nil || origin.Host == "" {
		return fmt.Errorf("check configuration: of is %q, want an absolute URL", c.Of)
	}
	if c.TTL < 0 {
		return fmt.Errorf("check configuration: ttl is %s, want at least 0", time.Duration(c.TTL))
	}
	logger := history.NewLogger(log, c.Name)
	transport := certs.Trusting(&http.Transport{})
	defer transport.CloseIdleConnections()
	cache := newSharedCache(c.Name, transport, logger, time.Now)
	does := fmt.Sprintf("keeps answers of %s for %s", origin.Host, time.Duration(c.TTL))
	if c.Disturb == "" {
		cache.on(time.Duration(c.TTL))
	} else {
		does = fmt.Sprintf("passes answers of %s through, until it is switched on", origin.Host)
	}
	logger.Info(string(history.KindService), "detail", "cache: "+does)

	mux := standin.NewMux(&standin.Readiness{}, func() map[string]int64 {
		hits, misses := cache.hits.Load(), cache.misses.Load()
		return map[string]int64{"served": hits + misses, "hits": hits, "misses": misses}
	})
	switched := standin.NewDisturbances(cache.switched)
	switched.Serve(mux, c.Disturb, map[string]func(string) error{contract.OrderKeep: isTTL}, nil)
	mux.Handle("/", &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(origin) },
		Transport: cache,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			logger.Warn(string(history.KindFetchFailed), "detail", err.Error(), "from", origin.Host)
			standin.WriteError(w, http.StatusBadGateway, err.Error())
		},
	})
	return standin.ServeHTTP(ctx, listener, mux, logger)
}

// sharedCache is a transport that answers from its memory where it can. While
// it has none it passes everything on as if it were not there.
type sharedCache struct {
	name   string
	origin http.RoundTripper
	log    *slog.Logger
	now    func() time.Time
	hits   atomic.Int64
	misses atomic.Int64
	memory atomic.Pointer[cacheMemory]
}

// cacheMemory is what a cache keeps from when it is switched on until it is
// switched off: what a fetch brings that was under way then is kept nowhere.
type cacheMemory struct {
	ttl   time.Duration
	fills singleflight.Group

	mu      sync.Mutex
	entries map[string]*cachedAnswer
}

type cachedAnswer struct {
	status int
	header http.Header
	body   []byte
	at     time.Time
}

// kids are the identifiers of the keys in an answer that is a key set; nil of another.
func (a *cachedAnswer) kids() []string {
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &set) != nil || set.Keys == nil {
		return nil
	}
	kids := []string{}
	for _, key := range set.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

// newSharedCache is one that is off.
func newSharedCache(name string, origin http.RoundTripper, log *slog.Logger, now func() time.Time) *sharedCache {
	return &sharedCache{name: name, origin: origin, log: log, now: now}
}

var _ http.RoundTripper = (*sharedCache)(nil)

// on switches the cache on, empty; off takes away what it has.
func (s *sharedCache) on(ttl time.Duration) {
	s.memory.Store(&cacheMemory{ttl: ttl, entries: map[string]*cachedAnswer{}})
}

func (s *sharedCache) off() { s.memory.Store(nil) }

// switched follows an order of DisturbKeep, of which isTTL has checked the value.
func (s *sharedCache) switched(kind, value string) {
	if kind != contract.OrderKeep {
		return
	}
	ttl, err := time.ParseDuration(value)
	if err != nil {
		s.off()
		return
	}
	s.on(ttl)
}

// isTTL checks how long a cache is to keep answers.
func isTTL(value string) error {
	if ttl, err := time.ParseDuration(value); err != nil || ttl <= 0 {
		return fmt.Errorf("want a positive duration, got %q", value)
	}
	return nil
}

// RoundTrip answers a GET from memory or fills it; everything else, and what
// carries credentials (RFC 9111 §3.5), goes to the origin.
func (s *sharedCache) RoundTrip(req *http.Request) (*http.Response, error) {
	memory := s.memory.Load()
	if memory == nil || req.Method != http.MethodGet || req.Header.Get("Authorization") != "" {
		resp, err := s.origin.RoundTrip(req)
		if err != nil {
			return nil, fmt.Errorf("pass to origin: %w", err)
		}
		s.misses.Add(1)
		if memory != nil {
			resp.Header.Add("Via", "1.1 "+s.name)
		}
		return resp, nil
	}
	answer, detail := memory.fresh(req.URL.String(), s.now()), "hit"
	if answer == nil {
		detail = "miss"
		filled, err, _ := memory.fills.Do(req.URL.String(), func() (any, error) { return s.fill(req, memory) })
		if err != nil {
			return nil, err
		}
		answer = filled.(*cachedAnswer)
		s.misses.Add(1)
	} else {
		s.hits.Add(1)
	}
	read := []any{"reader", req.UserAgent(), "what", req.URL.Path, "detail", detail}
	if kids := answer.kids(); kids != nil {
		read = append(read, "identifiers", kids)
	}
	s.log.Info(string(history.KindRead), read...)
	header := answer.header.Clone()
	header.Add("Via", "1.1 "+s.name)
	header.Set("Age", strconv.FormatInt(int64(s.now().Sub(answer.at)/time.Second), 10))
	return &http.Response{
		StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(answer.body)), ContentLength: int64(len(answer.body)), Request: req,
	}, nil
}

// fresh is what is kept of an address, unless it is too old.
func (m *cacheMemory) fresh(key string, now time.Time) *cachedAnswer {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer := m.entries[key]
	if answer == nil {
		return nil
	}
	if now.Sub(answer.at) >= m.ttl {
		delete(m.entries, key)
		return nil
	}
	return answer
}

// fill fetches from the origin in the cache's own name. It goes on when the
// reader that began it leaves: others may wait for the same answer.
func (s *sharedCache) fill(req *http.Request, into *cacheMemory) (*cachedAnswer, error) {
	key := req.URL.String()
	if answer := into.fresh(key, s.now()); answer != nil {
		return answer, nil // filled between the look and the call
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), fillDeadline)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, http.MethodGet, key, nil)
	if err != nil {
		return nil, fmt.Errorf("fill from origin: %w", err)
	}
	out.Header.Set("User-Agent", "rehearse-cache/"+s.name)
	out.Header.Set("Via", "1.1 "+s.name)
	if accept := req.Header.Get("Accept"); accept != "" {
		out.Header.Set("Accept", accept)
	}
	resp, err := s.origin.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("fill from origin: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, standin.MaxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("fill from origin: %w", err)
	}
	if len(body) > standin.MaxDocument {
		return nil, fmt.Errorf("fill from origin: the answer to %s is longer than %d bytes", req.URL.Path, standin.MaxDocument)
	}
	resp.Header.Del("Content-Length")
	answer := &cachedAnswer{status: resp.StatusCode, header: resp.Header, body: body, at: s.now()}
	if resp.StatusCode == http.StatusOK {
		into.keep(key, answer)
	}
	return answer, nil
}

func (m *cacheMemory) keep(key string, answer *cachedAnswer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[key]; ok || len(m.entries) < cacheEntries {
		m.entries[key] = answer
	}
}
