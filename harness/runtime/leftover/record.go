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
	"strings"
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
	Vault     *Vault     `json:"vault,omitempty"`
}

// Vault is what a run made on a server that it did not start, and that lives on
// when the run has died. It holds no token, only how tokens can be named to
// whoever has one of that server.
type Vault struct {
	Address   string   `json:"address"`
	Mount     string   `json:"mount"`
	Policies  []string `json:"policies,omitempty"`
	Accessors []string `json:"accessors,omitempty"` // of tokens
}

// Record is the entry of one live run. Its methods may be called concurrently.
type Record struct {
	path string
	mu   sync.Mutex
	s    state
}

// runName is what a run may be called: it becomes part of file and host names.
var runName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// DefaultDir is the folder of the entries: runs in CacheDir.
func DefaultDir() string { return filepath.Join(CacheDir(), "runs") }

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
	if err := MakePrivate(dir); err != nil {
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

// FolderName begins the name of every folder that goes with a run: without it
// none is removed.
func FolderName(run string) string { return "rehearse-" + run + "-" }

// AddFolder notes a folder that goes with the run: an absolute path, whose name
// begins with FolderName.
func (r *Record) AddFolder(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("record folder %s: want an absolute path", path)
	}
	if !strings.HasPrefix(filepath.Base(path), FolderName(r.s.Run)) {
		return fmt.Errorf("record folder %s: its name does not begin with %s", path, FolderName(r.s.Run))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Folders = append(r.s.Folders, filepath.Clean(path))
	return r.save()
}

// AddVault notes, before it is made, the mount that the run makes on a server
// which it did not start.
func (r *Record) AddVault(address, mount string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Vault = &Vault{Address: address, Mount: mount}
	return r.save()
}

// AddToVault notes a policy, before it is made, or the accessor of a token on
// that server; "" is neither.
func (r *Record) AddToVault(policy, accessor string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.s.Vault == nil {
		return nil // it dies with the run
	}
	if v := r.s.Vault; policy != "" {
		v.Policies = append(v.Policies, policy)
	} else if accessor != "" {
		v.Accessors = append(v.Accessors, accessor)
	}
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
func (r *Record) save() error { return r.s.save(r.path) }

func (s state) save(path string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("record run %s: %w", s.Run, err)
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return fmt.Errorf("record run %s: %w", s.Run, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("record run %s: %w", s.Run, err)
	}
	return nil
}
