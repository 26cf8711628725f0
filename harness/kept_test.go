package harness

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// before does something once, before a phase begins.
type before struct {
	phase history.Phase
	do    func()
}

func (o before) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if next == o.phase {
		o.do()
	}
	return world.GoOn, ctx.Err()
}

func (before) Interrupt() <-chan world.Command { return nil }

// said keeps what a run tells of its progress.
type said struct {
	mu    sync.Mutex
	texts []string
}

func (s *said) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, text)
}

func (s *said) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.texts, "\n"), part)
}

// A run whose folder is taken away goes on, says so while it does, and is judged.
func TestRunWhoseFolderGoes(t *testing.T) {
	o, told := inProcesses(t), &said{}
	o.Progress = told.say
	o.Operator = before{history.Emit, func() {
		if err := os.RemoveAll(o.Folder); err != nil {
			t.Error(err)
		}
	}}
	reported := 0
	o.Report = func(outcome *Result) error {
		reported++
		return os.WriteFile(filepath.Join(outcome.Folder, "report.html"), nil, 0o600)
	}
	outcome, err := Run(t.Context(), plantest.Plan(t, plantest.APIKeyPage, plantest.APIKeyScenario), o)
	if !errors.Is(err, ErrNotKept) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCleanUp) {
		t.Errorf("got error %v, want that what it wrote was not kept, and no clean-up", err)
	}
	if outcome == nil || outcome.Verdict.Verdict == "" || outcome.Ended != history.EndedComplete || reported != 1 {
		t.Fatalf("got %+v and %d reports, want an outcome with its verdict, and one try to report it", outcome, reported)
	}
	passed(t, outcome.Verdict, "auth-failures-flat")
	if !told.has("is not kept any more") {
		t.Errorf("it told %q, want that it is not kept, while it went on", told.texts)
	}
	nothingLeft(t, o)
}

// What is wrong with a disk is told as that, whichever write meets it.
func TestCleanUpTellsWhatIsNotKept(t *testing.T) {
	r := &run{o: Options{}.withDefaults()}
	r.cleanUp("close the logs", func(context.Context) error { return notKept(errors.New("no space left on device")) })
	if err := r.cleanAll(t.Context()); !errors.Is(err, ErrNotKept) || errors.Is(err, ErrCleanUp) {
		t.Errorf("a disk that is full: got %v, want ErrNotKept alone", err)
	}
	r.cleanUp("stop services", func(context.Context) error { return errors.New("one still runs") })
	if err := r.cleanAll(t.Context()); !errors.Is(err, ErrCleanUp) || errors.Is(err, ErrNotKept) {
		t.Errorf("a service that runs on: got %v, want ErrCleanUp alone", err)
	}
}

// The folder of a run, and all in it, is for its user alone.
func TestRunFolderIsPrivate(t *testing.T) {
	o := inProcesses(t)
	r := &run{o: o.withDefaults()}
	if err := r.makeFolder(); err != nil {
		t.Fatal(err)
	}
	defer r.events.Close()
	err := filepath.WalkDir(o.Folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %s, want it closed to others", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
