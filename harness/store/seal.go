package store

import (
	"context"
	"fmt"
)

// Keys are what a store of the run's own is opened with.
type Keys struct {
	Root   string // the token that may do everything
	Unseal string // what a sealed one is opened with again
}

// Seal closes the store: until Unseal it answers everything with 503.
func (s *Store) Seal(ctx context.Context) error {
	if err := s.given.Sys().SealWithContext(ctx); err != nil {
		return fmt.Errorf("seal the store: %w", err)
	}
	return nil
}

// Unseal opens it again, and returns when it takes requests. One that is open
// stays so.
func (s *Store) Unseal(ctx context.Context, key string) error {
	if _, err := s.given.Sys().UnsealWithContext(ctx, key); err != nil {
		return fmt.Errorf("unseal the store: %w", err)
	}
	if err := awaitActive(ctx, s.given); err != nil {
		return fmt.Errorf("unseal the store: %w", err)
	}
	return nil
}
