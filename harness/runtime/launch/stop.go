package launch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// StopAll stops all services of a run at the same time and waits for each. The
// error joins those of all that could not be stopped, in a fixed order, by name.
func StopAll[S any](services map[string]S, stop func(S) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for name, s := range services {
		wg.Go(func() {
			if err := stop(s); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("stop %s: %w", name, err))
			}
		})
	}
	wg.Wait()
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
