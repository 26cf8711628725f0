package fakes

import (
	"bytes"
	"context"
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

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// cacheEntries bounds how many answers a cache keeps; more are passed through.
	cacheEntries = 1024
	// fillDeadline bounds one fetch from the origin, which several readers may
	// be waiting for.
	fillDeadline = 10 * time.Second
)

// CacheConfig is the configuration of a shared cache.
type CacheConfig struct {
	Name string `json:"name"`
	// Of is the base URL of the origin.
	Of string `json:"of"`
	// TTL is how long an answer is kept, in wall time; 0 keeps none.
	TTL Duration `json:"ttl"`
}

// ServeCache runs a caching reverse proxy as a CDN with a fixed TTL is: it
// keeps every 200 to a GET for that long, whatever the origin's headers or the
// reader's say, and lets the readers of one address share one fetch.
func ServeCache(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c CacheConfig
	if err := decode(config, &c); err != nil {
		return err
	}
	if err := require(field{"name", c.Name}, field{"of", c.Of}); err != nil {
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
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	cache := newSharedCache(c.Name, time.Duration(c.TTL), transport, logger, time.Now)
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("cache: keeps answers of %s for %s", origin.Host, cache.ttl))

	mux := newMux(&readiness{}, func() map[string]int64 {
		hits, misses := cache.hits.Load(), cache.misses.Load()
		return map[string]int64{"served": hits + misses, "hits": hits, "misses": misses}
	})
	mux.Handle("/", &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(origin) },
		Transport: cache,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			logger.Warn(string(history.KindFetchFailed), "detail", err.Error(), "from", origin.Host)
			writeError(w, http.StatusBadGateway, err.Error())
		},
	})
	return serveHTTP(ctx, listener, mux, logger)
}

// sharedCache is a transport that answers from its memory where it can.
type sharedCache struct {
	name   string
	ttl    time.Duration
	origin http.RoundTripper
	log    *slog.Logger
	now    func() time.Time
	fills  singleflight.Group
	hits   atomic.Int64
	misses atomic.Int64

	mu      sync.Mutex
	entries map[string]*cachedAnswer
}

type cachedAnswer struct {
	status int
	header http.Header
	body   []byte
	at     time.Time
}

func newSharedCache(name string, ttl time.Duration, origin http.RoundTripper, log *slog.Logger, now func() time.Time) *sharedCache {
	return &sharedCache{name: name, ttl: ttl, origin: origin, log: log, now: now, entries: map[string]*cachedAnswer{}}
}

var _ http.RoundTripper = (*sharedCache)(nil)

// RoundTrip answers a GET from memory or fills it; everything else, and what
// carries credentials (RFC 9111 §3.5), goes to the origin.
func (s *sharedCache) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Header.Get("Authorization") != "" {
		resp, err := s.origin.RoundTrip(req)
		if err != nil {
			return nil, fmt.Errorf("pass to origin: %w", err)
		}
		s.misses.Add(1)
		resp.Header.Add("Via", "1.1 "+s.name)
		return resp, nil
	}
	answer, detail := s.fresh(req.URL.String()), "hit"
	if answer == nil {
		detail = "miss"
		filled, err, _ := s.fills.Do(req.URL.String(), func() (any, error) { return s.fill(req) })
		if err != nil {
			return nil, err
		}
		answer = filled.(*cachedAnswer)
		s.misses.Add(1)
	} else {
		s.hits.Add(1)
	}
	s.log.Info(string(history.KindRead), "reader", req.UserAgent(), "what", req.URL.Path, "detail", detail)
	header := answer.header.Clone()
	header.Add("Via", "1.1 "+s.name)
	header.Set("Age", strconv.FormatInt(int64(s.now().Sub(answer.at)/time.Second), 10))
	return &http.Response{
		StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(answer.body)), ContentLength: int64(len(answer.body)), Request: req,
	}, nil
}

func (s *sharedCache) fresh(key string) *cachedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.entries[key]
	if answer == nil {
		return nil
	}
	if s.now().Sub(answer.at) >= s.ttl {
		delete(s.entries, key)
		return nil
	}
	return answer
}

// fill fetches from the origin in the cache's own name. It goes on when the
// reader that began it leaves: others may wait for the same answer.
func (s *sharedCache) fill(req *http.Request) (*cachedAnswer, error) {
	key := req.URL.String()
	if answer := s.fresh(key); answer != nil {
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("fill from origin: %w", err)
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("fill from origin: the answer to %s is longer than %d bytes", req.URL.Path, maxDocument)
	}
	resp.Header.Del("Content-Length")
	answer := &cachedAnswer{status: resp.StatusCode, header: resp.Header, body: body, at: s.now()}
	if resp.StatusCode == http.StatusOK {
		s.keep(key, answer)
	}
	return answer, nil
}

func (s *sharedCache) keep(key string, answer *cachedAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.entries[key]; there || len(s.entries) < cacheEntries {
		s.entries[key] = answer
	}
}
