package harness

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

func TestCleanAll(t *testing.T) {
	stuck := errors.New("it is stuck")
	tests := []struct {
		name string
		fail error
		left int // records
	}{
		{"all is gone", nil, 0},
		{"one is not", stuck, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			record, err := leftover.Create(dir, "a-run")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // the clean-up has contexts of its own
			r := &run{leftovers: record}
			var order []string
			for _, what := range []string{"first", "second", "third"} {
				r.cleanUp(what, func(ctx context.Context) error {
					order = append(order, what)
					if what == "second" {
						return test.fail
					}
					return ctx.Err()
				})
			}
			err = r.cleanAll(ctx)
			if !slices.Equal(order, []string{"third", "second", "first"}) {
				t.Errorf("got %v, want all, the last one first", order)
			}
			if (err != nil) != (test.fail != nil) || err != nil && (!errors.Is(err, ErrCleanUp) || !errors.Is(err, stuck)) {
				t.Errorf("got %v, want %v with ErrCleanUp", err, test.fail)
			}
			report, err := leftover.Sweep(t.Context(), dir, nil)
			if err != nil || len(report.Live) != test.left {
				t.Errorf("got records %v, %v; want %d", report.Live, err, test.left)
			}
		})
	}
}
