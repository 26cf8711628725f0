package launch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/world"
)

func nothing(context.Context, world.Spec) error { return nil }

func TestInOrder(t *testing.T) {
	specs := []world.Spec{
		{Name: "load", Needs: []string{"front", "back"}},
		{Name: "front", Needs: []string{"back", "earlier"}},
		{Name: "back", Needs: []string{"store"}},
		{Name: "store"},
	}
	var mu sync.Mutex
	var order []string
	err := InOrder(t.Context(), specs, func(name string) bool { return name == "earlier" }, nil, nothing,
		func(_ context.Context, s world.Spec) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, s.Name)
			return nil
		})
	if want := []string{"store", "back", "front", "load"}; err != nil || !slices.Equal(order, want) {
		t.Errorf("got %v, %v; want %v", order, err, want)
	}
}

func TestInOrderStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	specs := []world.Spec{{Name: "store"}, {Name: "other"}, {Name: "auth", Needs: []string{"store"}}}
	err := InOrder(t.Context(), specs, func(string) bool { return false }, nil, nothing, func(ctx context.Context, s world.Spec) error {
		switch s.Name {
		case "store":
			return broken
		case "auth":
			t.Error("auth was started without store")
		}
		<-ctx.Done() // other: interrupted by the failure of store
		return ctx.Err()
	})
	if !errors.Is(err, broken) || err.Error() != "start store: broken" {
		t.Errorf("got %v; want only that store is broken", err)
	}
}

func TestInOrderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	specs := []world.Spec{{Name: "store"}, {Name: "auth", Needs: []string{"store"}}}
	err := InOrder(ctx, specs, func(string) bool { return false }, nil, nothing, func(ctx context.Context, s world.Spec) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "store") {
		t.Errorf("got %v; want that store was cancelled", err)
	}
}
