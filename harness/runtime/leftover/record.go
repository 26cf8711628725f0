// Package leftover finds and removes what runs left behind whose harness died:
// processes, containers, networks, folders. Each run keeps a small file beside
// the user's caches while it has something to lose; a run whose harness is
// alive is never touched.
package leftover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// state is the file of one run.
type state struct {
	Run       string     `json:"run"`
	Host      string     `json:"host"`
	Harness   Identity   `json:"harness"`
	Started   time.Time  `json:"started_at"`
	Processes []Identity `json:"processes,omitempty"`
	Folders   []string   `json:"folders,omitempty"`
}

// Record is the entry of one live run. Its methods may be called concurrently.
type Record struct {
	path string
	mu   sync.Mutex
	s    state
}

// runName is what a run may be called: it becomes part of file and host names.
var runName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// DefaultDir is the folder of the entries: rehearse/runs in the user's cache
// folder (os.UserCacheDir), or in the temporary one for a user without a home.
func DefaultDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "rehearse-"+strconv.Itoa(os.Getuid()), "runs")
	}
	return filepath.Join(base, "rehearse", "runs")
}

// Create makes the entry of a run of this process, before it starts anything.
// A run's name is at most 40 lower-case letters, digits and dashes, and in use once.
func Create(dir, run string) (*Record, error) {
	if !runName.MatchString(run) {
		return nil, fmt.Errorf("record run %q: want at most 40 of a-z, 0-9 and dashes inside", run)
	}
	self, err := Identify(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("record run %s: %w", run, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("record run %s: %w", run, err)
	}
	r := &Record{
		path: filepath.Join(dir, run+".json"),
		s:    state{Run: run, Host: Host(), Harness: self, Started: time.Now().UTC().Truncate(time.Second)},
	}
	if _, err := os.Lstat(r.path); err == nil {
		return nil, fmt.Errorf("record run %s: a run of this name is recorded in %s: %w", run, r.path, fs.ErrExist)
	}
	if err := r.save(); err != nil {
		return nil, err
	}
	return r, nil
}

// Run is the run's name.
func (r *Record) Run() string { return r.s.Run }

// Harness is the process that the run lives and dies with.
func (r *Record) Harness() Identity { return r.s.Harness }

// Host is where that process lives.
func (r *Record) Host() string { return r.s.Host }

// AddProcess notes a child that was just started.
func (r *Record) AddProcess(pid int) error {
	child, err := Identify(pid)
	if errors.Is(err, errGone) {
		return nil // it ended already, and leaves nothing
	}
	if err != nil {
		return fmt.Errorf("record run %s: %w", r.s.Run, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Processes = append(r.s.Processes, child)
	return r.save()
}

// DropProcess forgets a child that was waited for.
func (r *Record) DropProcess(pid int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Processes = slices.DeleteFunc(r.s.Processes, func(i Identity) bool { return i.PID == pid })
	return r.save()
}

// AddFolder notes a folder that goes with the run: an absolute path.
func (r *Record) AddFolder(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("record folder %s: want an absolute path", path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Folders = append(r.s.Folders, filepath.Clean(path))
	return r.save()
}

// Remove takes the entry away, once all that it tells of is gone.
func (r *Record) Remove() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record of run %s: %w", r.s.Run, err)
	}
	return nil
}

// save writes the entry at once: a reader never sees half of one.
func (r *Record) save() error {
	data, err := json.Marshal(r.s)
	if err != nil {
		return fmt.Errorf("record run %s: %w", r.s.Run, err)
	}
	temporary := r.path + ".new"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return fmt.Errorf("record run %s: %w", r.s.Run, err)
	}
	if err := os.Rename(temporary, r.path); err != nil {
		return fmt.Errorf("record run %s: %w", r.s.Run, err)
	}
	return nil
}
