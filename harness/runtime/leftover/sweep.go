package leftover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Engine is a container engine on which runs may have left something.
type Engine interface {
	// Sweep removes the containers and networks of runs that dead says are over,
	// and names what it removed. Nothing there is no error.
	Sweep(ctx context.Context, dead func(host string, harness Identity) bool) (removed []string, err error)
}

// Report says what a sweep found.
type Report struct {
	Runs    []string // that were dead and are gone now
	Live    []string // that were left alone
	Removed []string // "process 123", "container NAME", "network NAME", "folder PATH"
}

// A harness that was killed may have asked its engine for a container that is
// only being made: after a sweep that found a dead run, the engine is looked at
// again until nothing more turns up, at most latePasses times.
const (
	lateAfter  = time.Second
	latePasses = 3
)

// goneWithin bounds the wait for a killed process to end.
const goneWithin = 5 * time.Second

// Sweep removes what dead runs left: those recorded in dir and those that
// engine knows. A nil engine is one that is not there. What could not be
// removed is in the error, and stays recorded for the next sweep.
func Sweep(ctx context.Context, dir string, engine Engine) (Report, error) {
	var (
		report Report
		errs   []error
	)
	host := Host()
	sweepEngine := func() (found bool) {
		if engine == nil {
			return false
		}
		removed, err := engine.Sweep(ctx, func(h string, harness Identity) bool {
			return h == host && !harness.Alive()
		})
		report.Removed = append(report.Removed, removed...)
		if err != nil {
			errs = append(errs, err)
		}
		return len(removed) > 0
	}
	found := sweepEngine()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return report, errors.Join(append(errs, fmt.Errorf("list recorded runs: %w", err))...)
	}
	for _, file := range files {
		s, err := read(file)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it ended, or another sweep was quicker
		case err != nil:
			errs = append(errs, err)
		case s.Host != host || s.Harness.Alive():
			report.Live = append(report.Live, s.Run)
		default:
			removed, err := bury(ctx, s)
			report.Removed = append(report.Removed, removed...)
			if err == nil {
				err = removeFile(file)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("remove leftovers of run %s: %w", s.Run, err))
				continue
			}
			report.Runs = append(report.Runs, s.Run)
		}
	}
	found = found || len(report.Runs) > 0
	for range latePasses {
		if engine == nil || !found || (world.WallClock{}).Sleep(ctx, lateAfter) != nil {
			break
		}
		found = sweepEngine()
	}
	return report, errors.Join(errs...)
}

// Alive says whether the harness of a run that is recorded in dir is alive; of
// one that is not recorded it is not.
func Alive(dir, run string) (bool, error) {
	s, err := read(filepath.Join(dir, run+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && s.Host == Host() && s.Harness.Alive(), err
}

func read(file string) (state, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return state{}, fmt.Errorf("read recorded run: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("read recorded run %s: %w (remove the file if no run is under way)", file, err)
	}
	return s, nil
}

func removeFile(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// bury ends the processes of a dead run and removes its folders.
func bury(ctx context.Context, s state) (removed []string, err error) {
	var errs []error
	for _, child := range s.Processes {
		killed, err := kill(ctx, child)
		if err != nil {
			errs = append(errs, err)
		}
		if killed {
			removed = append(removed, fmt.Sprintf("process %d", child.PID))
		}
	}
	for _, folder := range s.Folders {
		if _, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(folder); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, "folder "+folder)
	}
	return removed, errors.Join(errs...)
}

// kill ends a process if it is still the one that was recorded. A stopped
// process dies of it too.
func kill(ctx context.Context, child Identity) (bool, error) {
	// Found first and compared then: on Linux the handle keeps meaning this
	// process (pidfd) even if its number is given to another meanwhile.
	process, err := os.FindProcess(child.PID)
	if err != nil {
		return false, nil
	}
	defer process.Release() //nolint:errcheck // nothing to do about it
	if !child.Alive() {
		return false, nil
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("kill process %d: %w", child.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	for child.Alive() {
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("kill process %d: it is still there: %w", child.PID, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true, nil
}
