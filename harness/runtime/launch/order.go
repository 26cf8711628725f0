package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// InOrder calls Before and prepare (nil: there is nothing to prepare) for every spec in
// parallel, and start as soon as both its own prepare and start of all that it needs
// have returned. It returns when every call has. The first error ends the context of
// the others; those of other services that failed by themselves are joined to it. ready
// says which services were started before, and address fills in a word of theirs.
func InOrder(ctx context.Context, specs []world.Spec, ready func(name string) bool, address func(contract.Word) (string, error),
	prepare, start func(context.Context, world.Spec) error,
) error {
	if err := checkOrder(specs, ready); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(map[string]chan struct{}, len(specs))
	for _, s := range specs {
		started[s.Name] = make(chan struct{})
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		// Once one has failed, the others are interrupted: that is no news.
		if len(errs) == 0 || !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
		cancel()
	}
	for _, s := range specs {
		wg.Go(func() {
			if err := before(ctx, s, address, prepare); err != nil {
				fail(fmt.Errorf("start %s: %w", s.Name, err))
				return
			}
			for _, need := range s.Needs {
				if started[need] == nil {
					continue // ready before
				}
				select {
				case <-started[need]:
				case <-ctx.Done():
					return // whoever it waits for says why
				}
			}
			if err := start(ctx, s); err != nil {
				fail(&world.StartError{Service: s.Name, Err: err})
				return
			}
			close(started[s.Name])
		})
	}
	wg.Wait()
	if len(errs) == 0 && ctx.Err() != nil {
		return fmt.Errorf("start services: %w", ctx.Err())
	}
	return errors.Join(errs...)
}

// before does what comes before a service is started.
func before(ctx context.Context, s world.Spec, address func(contract.Word) (string, error), prepare func(context.Context, world.Spec) error) error {
	if s.Before != nil {
		if err := s.Before(address); err != nil {
			return err
		}
	}
	if prepare == nil {
		return nil
	}
	return prepare(ctx, s)
}

// checkOrder finds names that are used twice, needs that nobody meets, and
// circles of needs.
func checkOrder(specs []world.Spec, ready func(string) bool) error {
	byName := make(map[string]world.Spec, len(specs))
	for _, s := range specs {
		if _, twice := byName[s.Name]; twice || ready(s.Name) {
			return fmt.Errorf("start %s: a service of this name is there already", s.Name)
		}
		byName[s.Name] = s
	}
	for _, s := range specs {
		for _, need := range s.Needs {
			if _, here := byName[need]; !here && !ready(need) {
				return fmt.Errorf("start %s: it needs %s, which is not a service of this run", s.Name, need)
			}
		}
	}
	done := map[string]bool{}
	var visit func(name string, path []string) error
	visit = func(name string, path []string) error {
		if i := slices.Index(path, name); i >= 0 {
			return fmt.Errorf("start %s: services need each other in a circle: %s",
				name, strings.Join(append(path[i:], name), " → "))
		}
		if done[name] {
			return nil
		}
		for _, need := range byName[name].Needs {
			if err := visit(need, append(path, name)); err != nil {
				return err
			}
		}
		done[name] = true
		return nil
	}
	for _, s := range specs {
		if err := visit(s.Name, nil); err != nil {
			return err
		}
	}
	return nil
}
