package harness

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
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
			report, err := leftover.Sweep(t.Context(), dir, leftover.Places{})
			if err != nil || len(report.Live) != test.left {
				t.Errorf("got records %v, %v; want %d", report.Live, err, test.left)
			}
		})
	}
}

// writing is a runtime whose server needs its folder until it has ended.
type writing struct {
	world.Runtime
	folder string
}

func (w writing) Stop(context.Context) error {
	_, err := os.Stat(w.folder)
	return err
}

func TestServersEndBeforeTheirFoldersAreRemoved(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	r := &run{runtime: writing{folder: folder}}
	r.endServices()
	r.written = append(r.written, folder) // known when the services are, after the runtime
	if err := r.cleanAll(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder afterwards: got %v, want it gone", err)
	}
}
