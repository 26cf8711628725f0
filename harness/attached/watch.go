package attached

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// watchEvery is how often the emitter is looked at from outside.
	watchEvery = time.Second
	// watchTimeout bounds one look.
	watchTimeout = 5 * time.Second
	// unseenAfter is how many looks in a row must fail to be told of: one may.
	unseenAfter = 3
)

// Look is what can be seen of the emitter from outside: the identifiers in its
// key set, and that of the credential that it signs with.
type Look struct {
	Published []string
	Emitting  string
}

// look asks the emitter once.
func (s *System) look(ctx context.Context) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	t, err := s.tokens.get(ctx, "", DefaultTimeout)
	if err != nil {
		return Look{}, err
	}
	document, err := send(ctx, looker, http.MethodGet, s.endpoints[s.emitter()].URL+s.plan.Page.Storage.JWKS, http.Header{"User-Agent": {agent}}, "")
	if err != nil {
		return Look{}, fmt.Errorf("look at the key set of %s: %w", s.emitter(), err)
	}
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(document), &set); err != nil {
		return Look{}, fmt.Errorf("look at the key set of %s: it is no JSON", s.emitter())
	}
	l := Look{Emitting: t.identifier}
	for _, key := range set.Keys {
		l.Published = append(l.Published, key.Kid)
	}
	return l, nil
}

// Watch records what the emitter publishes and signs with: how it stands now,
// and, until ctx ends, every change, where its log does not tell. The error is
// that of the first look; that it could not be looked at later is an event.
func (s *System) Watch(ctx context.Context, record func(history.Event)) (follow func(), err error) {
	if !s.byTokens() {
		return func() {}, nil // who emits which is seen in what it presents
	}
	last, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	name := s.emitter()
	s.watched.tell = func(was, is Look) {
		if !slices.Equal(was.Published, is.Published) {
			record(history.Event{Kind: history.KindPublished, Service: name, Credentials: is.Published})
		}
		if was.Emitting != is.Emitting {
			record(history.Event{Kind: history.KindEmitting, Service: name, Identifier: is.Emitting})
		}
	}
	s.watched.see(last, false)
	if s.endpoints[name].Tells {
		s.watched.tell = nil
		return func() {}, nil
	}
	return func() {
		failed := 0
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			is, err := s.look(ctx)
			if err != nil {
				if failed++; failed == unseenAfter && ctx.Err() == nil {
					record(history.Event{Kind: history.KindUnseen, Service: name, Detail: err.Error()})
				}
				continue
			}
			if failed >= unseenAfter {
				record(history.Event{Kind: history.KindUnseen, Service: name})
			}
			failed = 0
			s.watched.see(is, s.unmet())
		}
	}, nil
}

// watched is what was told last of the emitter, whoever looked.
type watched struct {
	tell func(was, is Look) // nil: its log tells

	mu       sync.Mutex
	last, is Look
}

// see tells of a look, or keeps it for later: what nobody has a name for yet would be
// told of as a stranger's.
func (w *watched) see(is Look, later bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.is = is; w.tell == nil || later {
		return
	}
	w.tell(w.last, is)
	w.last = is
}

// catchUp tells of the last look.
func (w *watched) catchUp() {
	w.mu.Lock()
	is := w.is
	w.mu.Unlock()
	w.see(is, false)
}

// agent is how the watch names itself: readers of that name are the harness.
const agent = "rehearse-probe/watch"

// inside is the host and port by which neighbours know a service.
func (e Endpoint) inside() string {
	if e.Inside != "" {
		return e.Inside
	}
	return strings.TrimSuffix(e.URL, "/")
}
