package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// ErrNotKept is in the chain of Run's error where not everything a run wrote could be kept: the disk is
// full, or its folder is gone. The run goes on all the same, and its result is returned.
var ErrNotKept = errors.New("could not keep what the run wrote")

func notKept(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotKept, err)
}

// watchEvery is how often the run checks that its files are kept.
const watchEvery = time.Second

// watchKept reports once, as soon as it happens, that the run's files are no longer kept: found only at
// the end of an hour's run, that hour would be lost.
func (r *run) watchKept() error {
	folder, err := os.Stat(r.folder)
	if err != nil {
		return fmt.Errorf("look at the folder of the run: %w", err)
	}
	recorder, logs := r.recorder, r.logs
	end := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			if err := errors.Join(recorder.Err(), logs.Err(), r.gone(folder)); err != nil {
				r.o.Progress("what the run writes is not kept any more; it goes on, and its verdict will be told: " + err.Error())
				return
			}
		}
	})
	r.cleanUp("end the watch on the folder", func(context.Context) error {
		close(end)
		watch.Wait()
		return nil
	})
	return nil
}

// gone says that the run's folder is not the one that it made.
func (r *run) gone(made os.FileInfo) error {
	switch now, err := os.Stat(r.folder); {
	case err != nil:
		return err
	case !os.SameFile(made, now):
		return fmt.Errorf("%s is another folder than the run made", r.o.Folder)
	}
	return nil
}

// searchAgain searches the written reports too. A hit in them is an event like any other, and changes
// the verdict that they show.
func (r *run) searchAgain(found history.Leaks, search func() (history.Leaks, error)) error {
	all, err := search()
	if err != nil || all.Hits == found.Hits {
		return notKept(err)
	}
	err = notKept(r.amend(history.Event{At: r.evidence.Offset(), Kind: history.KindLeaks, Leaks: &all}))
	if err := r.judge(); err != nil {
		return err
	}
	return errors.Join(err, notKept(r.o.Report(r.outcome)))
}
