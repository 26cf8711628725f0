package launch

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestStopAll(t *testing.T) {
	broken := errors.New("it does not end")
	var stopped atomic.Int64
	err := StopAll(map[string]int{"search": 1, "auth": 2, "checkout": 3}, func(n int) error {
		stopped.Add(1)
		if n < 3 {
			return broken
		}
		return nil
	})
	const want = "stop auth: it does not end\nstop search: it does not end"
	if stopped.Load() != 3 || !errors.Is(err, broken) || err.Error() != want {
		t.Errorf("stopped %d of 3 with %q, want all of them and %q", stopped.Load(), err, want)
	}
	if err := StopAll(nil, func(int) error { return broken }); err != nil {
		t.Errorf("nothing to stop: got %v, want no error", err)
	}
}
