package jwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// fetchDeadline bounds one fetch of the set.
const fetchDeadline = 10 * time.Second

// singleKeyRefresh is how often the set is fetched, in page time.
const singleKeyRefresh = 5 * time.Minute

// singleKey is what a service does that keeps the first key of the set and
// looks at no kid: it fetches every five minutes and holds one key at a time.
type singleKey struct {
	parser *jwt.Parser
	key    atomic.Pointer[jose.JSONWebKey]
	done   chan struct{} // closed when the refreshing has ended
}

var _ library = (*singleKey)(nil)

func newSingleKey(ctx context.Context, c settings) (library, string, error) {
	s := &singleKey{parser: newParser(c), done: make(chan struct{})}
	every := c.scaled(singleKeyRefresh)
	if every <= 0 {
		return nil, "", fmt.Errorf("speed %v leaves no time between fetches", c.Speed)
	}
	if err := s.fetch(ctx, c.JWKS); err != nil {
		return nil, "", err
	}
	go s.refresh(ctx, c.JWKS, every)
	return s, fmt.Sprintf("single-key: refresh %s, keeps keys[0], none at an unknown kid", every), nil
}

// refresh keeps the key that it has when a fetch fails; the observer logs the
// failure.
func (s *singleKey) refresh(ctx context.Context, jwks string, every time.Duration) {
	defer close(s.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = s.fetch(ctx, jwks)
		}
	}
}

func (s *singleKey) fetch(ctx context.Context, jwks string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, jwks, nil)
	if err != nil {
		return err
	}
	_, err = fetchSet(http.DefaultClient, req, func(set jose.JSONWebKeySet) error {
		if len(set.Keys) == 0 {
			return errors.New("the set is empty")
		}
		s.key.Store(&set.Keys[0])
		return nil
	})
	return err
}

// Verify takes what is signed with the one key that it has.
func (s *singleKey) Verify(_ context.Context, raw string) (string, error) {
	return parseWith(s.parser, raw, func(*jwt.Token) (any, error) { return s.key.Load().Key, nil })
}

// Keeps is that key.
func (s *singleKey) Keeps([]string) []string { return []string{s.key.Load().KeyID} }

// Close waits for the refreshing, which ends with the context.
func (s *singleKey) Close() error {
	<-s.done
	return nil
}
