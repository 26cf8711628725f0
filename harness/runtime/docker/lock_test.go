package docker

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestLockHasOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "image.lock")
	var all sync.WaitGroup
	holders, most := make(chan struct{}, 8), 0
	for range cap(holders) {
		all.Go(func() {
			unlock, err := lock(t.Context(), path, func() {})
			if err != nil {
				t.Error(err)
				return
			}
			holders <- struct{}{}
			most = max(most, len(holders)) // a race too, where two hold it
			<-holders
			if err := unlock(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("got %d holders at a time, want 1", most)
	}
}

func TestLockWaitsForItsContextOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image.lock")
	unlock, err := lock(t.Context(), path, func() { t.Error("it waits for a lock that nobody has") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	told := 0
	if _, err := lock(ctx, path, func() { told++ }); !errors.Is(err, context.DeadlineExceeded) || told != 1 {
		t.Errorf("got %v, told %d times; want the context's end, and that it waits", err, told)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(t.Context(), path, func() { t.Error("it waits for a lock that was given back") })
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
