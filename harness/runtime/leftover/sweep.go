package leftover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/peer"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Engine is a container engine on which runs may have left something.
type Engine interface {
	// Sweep removes the containers and networks of runs that dead says are over,
	// and names what it removed. Nothing there is no error. dead is told whether
	// a container of the run is running.
	Sweep(ctx context.Context, dead func(host string, harness Identity, running bool) bool) (removed []string, err error)
}

// Places are where runs may have left something beside this machine's processes
// and folders.
type Places struct {
	Engines []Engine
	// Vault, which may be nil, removes what a run left on a server that it did not start; false: it
	// is not one that can be got at now.
	Vault func(ctx context.Context, left Vault) (removed bool, err error)
}

// Left is what stays on a server, and where that is recorded.
type Left struct {
	Run  string
	File string
	Vault
}

// Report says what a sweep found.
type Report struct {
	Runs    []string // that were dead and are gone now
	Live    []string // that were left alone
	Removed []string // "process 123", "container NAME", "network NAME", "folder PATH", "mount NAME at ADDRESS"
	Left    []Left   // on servers that were not to be got at
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

// Sweep removes what dead runs left: those recorded in dir and those that places
// know. What could not be removed is in the error, and stays recorded for the
// next sweep. Two sweeps of one user's wait for each other.
func Sweep(ctx context.Context, dir string, places Places) (Report, error) {
	if err := MakePrivate(dir); err != nil {
		return Report{}, fmt.Errorf("look for leftovers: %w", err)
	}
	unlock, err := lock(ctx, dir)
	if err != nil {
		return Report{}, fmt.Errorf("wait for another that removes leftovers: %w", err)
	}
	s := &sweep{dir: dir, places: places, host: Host()}
	s.all(ctx)
	s.fail(unlock())
	return s.report, errors.Join(s.errs...)
}

// sweep is one under way.
type sweep struct {
	dir    string
	places Places
	host   string
	report Report
	errs   []error
}

func (s *sweep) fail(err error) {
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

func (s *sweep) all(ctx context.Context) {
	found := s.engine(ctx)
	files, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		s.fail(fmt.Errorf("list recorded runs: %w", err))
		return
	}
	for _, file := range files {
		run, err := read(file)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it ended meanwhile
		case err != nil:
			s.fail(err)
		case run.Host != s.host || run.Harness.Alive():
			s.report.Live = append(s.report.Live, run.Run)
		default:
			if err := s.remove(ctx, file, run); err != nil {
				s.fail(fmt.Errorf("remove leftovers of run %s: %w", run.Run, err))
			}
		}
	}
	found = found || len(s.report.Runs) > 0
	for range latePasses {
		if len(s.places.Engines) == 0 || !found || (world.WallClock{}).Sleep(ctx, lateAfter) != nil {
			break
		}
		found = s.engine(ctx)
	}
}

// engine has the engines swept.
func (s *sweep) engine(ctx context.Context) (found bool) {
	for _, e := range s.places.Engines {
		found = s.sweepEngine(ctx, e) || found
	}
	return found
}

func (s *sweep) sweepEngine(ctx context.Context, e Engine) (found bool) {
	removed, err := e.Sweep(ctx, func(host string, harness Identity, running bool) bool {
		if host != s.host {
			return false
		}
		// What began before this machine did may be another's, of the same name and
		// on the same engine: one that is running is left to it.
		if !harness.ofThisBoot() {
			return !running
		}
		return !harness.Alive()
	})
	s.report.Removed = append(s.report.Removed, removed...)
	s.fail(err)
	return len(removed) > 0
}

// remove removes what a dead run left, and its entry where that is all.
func (s *sweep) remove(ctx context.Context, file string, run state) error {
	removed, err := bury(ctx, run)
	s.report.Removed = append(s.report.Removed, removed...)
	if err != nil {
		return err
	}
	if v := run.Vault; v != nil {
		gone := false
		if s.places.Vault != nil {
			gone, err = s.places.Vault(ctx, *v)
		}
		if err != nil || !gone {
			s.report.Left = append(s.report.Left, Left{Run: run.Run, File: file, Vault: *v})
			run.Processes, run.Folders = nil, nil
			return errors.Join(err, run.save(file))
		}
		s.report.Removed = append(s.report.Removed, fmt.Sprintf("mount %s at %s", v.Mount, v.Address))
	}
	if err := removeFile(file); err != nil {
		return err
	}
	s.report.Runs = append(s.report.Runs, run.Run)
	return nil
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

// VaultOf is what a run that is recorded in dir has on a server that it did not
// start; nil: nothing.
func VaultOf(dir, run string) (*Vault, error) {
	s, err := read(filepath.Join(dir, run+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return s.Vault, err
}

// ForgetVault takes out of the entry of a run in dir what it had on a server,
// once that is gone.
func ForgetVault(dir, run string) error {
	file := filepath.Join(dir, run+".json")
	s, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Vault = nil
	return s.save(file)
}

func read(file string) (state, error) {
	data, err := readOwn(file)
	if err != nil {
		return state{}, fmt.Errorf("read recorded run: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("read recorded run %s: %w (remove the file if no run is under way)", file, err)
	}
	if s.Run+".json" != filepath.Base(file) || !runName.MatchString(s.Run) {
		return state{}, fmt.Errorf("read recorded run %s: it tells of a run %q (remove the file if no run is under way)", file, s.Run)
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
		killed, err := kill(ctx, child, s.mark(""))
		if err != nil {
			errs = append(errs, err)
		}
		if killed {
			removed = append(removed, fmt.Sprintf("process %d", child.PID))
		}
	}
	ended, err := EndMarked(ctx, s.mark(""), 0)
	if err != nil {
		errs = append(errs, err)
	}
	for _, who := range ended {
		removed = append(removed, fmt.Sprintf("process %d", who.PID))
	}
	for _, folder := range s.Folders {
		info, err := os.Lstat(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && (!info.IsDir() || !strings.HasPrefix(filepath.Base(folder), FolderName(s.Run))) {
			err = fmt.Errorf("remove %s: it is no folder of the run: %w", folder, ErrNotOurs)
		}
		if err == nil {
			err = server.RemoveData(folder)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, "folder "+folder)
	}
	return removed, errors.Join(errs...)
}

// kill ends a process, with its group, if it is still the one that was recorded
// and has the mark of the run. A stopped process dies of it too.
func kill(ctx context.Context, child Identity, mark string) (bool, error) {
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
	if has, known := peer.MarkOf(child.PID); known && !strings.HasPrefix(has, mark) {
		return false, nil // it has begun when the recorded one did, and is another
	}
	killGroup(child.PID)
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("kill process %d: %w", child.PID, err)
	}
	return true, awaitGone(ctx, child)
}

// awaitGone waits for a killed process to end.
func awaitGone(ctx context.Context, who Identity) error {
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	for who.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill process %d: it is still there: %w", who.PID, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}
