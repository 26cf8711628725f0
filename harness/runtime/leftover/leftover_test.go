package leftover

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/peer"
)

// sleeper is a process that does nothing until it is killed.
func sleeper(t *testing.T, variables ...string) (*exec.Cmd, Identity) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.Env = append(os.Environ(), variables...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // often gone already
		_ = cmd.Wait()
	})
	who, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, who
}

// dead is the identity of a process that has ended.
func dead(t *testing.T) Identity {
	t.Helper()
	cmd, who := sleeper(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	return who
}

func TestIdentity(t *testing.T) {
	self, err := Identify(os.Getpid())
	if err != nil || !self.Alive() {
		t.Fatalf("this process: got %v, %v; want it alive", self, err)
	}
	if back, err := ParseIdentity(self.String()); err != nil || back != self {
		t.Errorf("ParseIdentity(%q): got %v, %v", self, back, err)
	}
	if reused := (Identity{PID: self.PID, Start: self.Start + "1"}); reused.Alive() {
		t.Error("a process of the same number that began at another time counts as alive")
	}
	if gone := dead(t); gone.Alive() {
		t.Errorf("%v has ended and counts as alive", gone)
	}
	for _, bad := range []string{"", "12", "x:y", "-1:2", "0:2"} {
		if got, err := ParseIdentity(bad); err == nil {
			t.Errorf("ParseIdentity(%q): got %v; want an error", bad, got)
		}
	}
}

func TestZombieIsDead(t *testing.T) {
	cmd, who := sleeper(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Not waited for: it is a zombie as soon as the signal took effect.
	killed, err := kill(t.Context(), who, "")
	if err != nil || who.Alive() {
		t.Errorf("got killed=%v, %v, alive=%v; want it to count as gone", killed, err, who.Alive())
	}
}

// bequeath writes the entry of a run whose harness is the given process.
func bequeath(t *testing.T, dir, run string, change func(*state)) *Record {
	t.Helper()
	r, err := Create(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	change(&r.s)
	if err := r.save(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSweep(t *testing.T) {
	dir, folders := t.TempDir(), t.TempDir()
	folder, precious := filepath.Join(folders, "rehearse-over-1"), filepath.Join(folders, "precious")
	if err := os.MkdirAll(filepath.Join(folder, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(precious, 0o700); err != nil {
		t.Fatal(err)
	}
	gone := dead(t)
	mark := peer.MarkVariable + "=" + state{Run: "over", Harness: gone}.mark("x")
	_, orphan := sleeper(t, mark)
	_, reused := sleeper(t)
	_, cared := sleeper(t)
	_, foreign := sleeper(t)
	bequeath(t, dir, "over", func(s *state) {
		s.Harness, s.Folders = gone, []string{folder, filepath.Join(folders, "rehearse-over-2")}
		s.Processes = []Identity{orphan, {PID: reused.PID, Start: "another"}, gone}
	})
	bequeath(t, dir, "greedy", func(s *state) { s.Harness, s.Folders = gone, []string{precious} })
	bequeath(t, dir, "live", func(s *state) { s.Processes = []Identity{cared} })
	bequeath(t, dir, "elsewhere", func(s *state) { s.Harness, s.Host, s.Processes = gone, "another/host/0", []Identity{foreign} })

	report, err := Sweep(t.Context(), dir, Places{})
	if !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), "greedy") {
		t.Errorf("an entry that names a folder of no run: got %v, want it refused", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("a folder of no run, in an entry: %v; want it there", err)
	}
	if want := []string{"over"}; !slices.Equal(report.Runs, want) {
		t.Errorf("swept runs %v; want %v", report.Runs, want)
	}
	if want := []string{"elsewhere", "live"}; !slices.Equal(report.Live, want) {
		t.Errorf("runs left alone %v; want %v", report.Live, want)
	}
	if len(report.Removed) != 2 || report.Removed[1] != "folder "+folder {
		t.Errorf("removed %v; want one process and folder %s", report.Removed, folder)
	}
	for name, want := range map[string]struct {
		who   Identity
		alive bool
	}{
		"orphan": {orphan, false}, "process with a number used again": {reused, true},
		"process of a live run": {cared, true}, "process of another host": {foreign, true},
	} {
		if got := want.who.Alive(); got != want.alive {
			t.Errorf("%s: alive=%v; want %v", name, got, want.alive)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder of the dead run: got %v; want it gone", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(left) != 3 {
		t.Errorf("records left: %v, %v; want three", left, err)
	}
}

// brokenEngine cannot sweep all of it, the first time that it is asked.
type brokenEngine struct{ asked int }

var errBroken = errors.New("broken")

func (b *brokenEngine) Sweep(_ context.Context, dead func(string, Identity, bool) bool) ([]string, error) {
	b.asked++
	rebooted := Identity{PID: os.Getpid(), Start: "another"}
	if b.asked == 1 && dead(Host(), rebooted, false) && !dead(Host(), rebooted, true) && !dead("another/host/0", Identity{PID: 1, Start: "x"}, false) {
		return []string{"container x"}, errBroken
	}
	return nil, nil
}

// lateEngine is still making containers for a harness that was killed.
type lateEngine struct {
	began time.Time
	late  map[string]time.Duration // when each is there
}

func (l lateEngine) Sweep(context.Context, func(string, Identity, bool) bool) (removed []string, err error) {
	for name, after := range l.late {
		if time.Since(l.began) >= after {
			delete(l.late, name)
			removed = append(removed, name)
		}
	}
	return removed, nil
}

func TestSweepWaitsForWhatIsBeingMade(t *testing.T) {
	dir := t.TempDir()
	bequeath(t, dir, "over", func(s *state) { s.Harness = dead(t) })
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		report, err := Sweep(t.Context(), dir, Places{Engines: []Engine{lateEngine{began, map[string]time.Duration{"a": 700 * time.Millisecond, "b": 1500 * time.Millisecond}}}})
		if err != nil || !slices.Equal(report.Removed, []string{"a", "b"}) {
			t.Errorf("removed %v, %v; want a, and b that came after it", report.Removed, err)
		}
		began = time.Now()
		if _, err := Sweep(t.Context(), dir, Places{Engines: []Engine{lateEngine{began, nil}}}); err != nil || time.Since(began) > 0 {
			t.Errorf("a sweep without a dead run took %s, %v; want no wait", time.Since(began), err)
		}
	})
}

func TestSweepGoesOnAfterTrouble(t *testing.T) {
	dir := t.TempDir()
	bequeath(t, dir, "over", func(s *state) { s.Harness = dead(t) })
	if err := os.WriteFile(filepath.Join(dir, "half.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := Sweep(t.Context(), dir, Places{Engines: []Engine{&brokenEngine{}}})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "half.json") {
		t.Errorf("got error %v; want both the engine's and the file's", err)
	}
	if !slices.Equal(report.Runs, []string{"over"}) || !slices.Equal(report.Removed, []string{"container x"}) {
		t.Errorf("got %+v; want run over swept and what the engine removed", report)
	}
}

func TestSweepOfNothing(t *testing.T) {
	if report, err := Sweep(t.Context(), filepath.Join(t.TempDir(), "never-made"), Places{}); err != nil || len(report.Runs) != 0 {
		t.Errorf("got %+v, %v; want nothing", report, err)
	}
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	r, err := Create(dir, "a-run-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, "a-run-1"); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second run of the same name: got %v; want ErrExist", err)
	}
	for _, bad := range []string{"", "A", "a/b", "-a", "a-", "..", strings.Repeat("a", 41)} {
		if _, err := Create(dir, bad); err == nil {
			t.Errorf("a run called %q was recorded", bad)
		}
	}
	if err := r.AddFolder("relative"); err == nil {
		t.Error("a relative folder was recorded")
	}
	_, child := sleeper(t)
	if err := r.AddProcess(child.PID); err != nil {
		t.Fatal(err)
	}
	if s, err := read(r.path); err != nil || !slices.Equal(s.Processes, []Identity{child}) {
		t.Errorf("recorded %+v, %v; want the child %v", s, err, child)
	}
	if err := r.DropProcess(child.PID); err != nil {
		t.Fatal(err)
	}
	if s, err := read(r.path); err != nil || len(s.Processes) != 0 {
		t.Errorf("recorded %+v, %v; want no child", s, err)
	}
	for range 2 {
		if err := r.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v; want nothing", left, err)
	}
}

// asMine is an engine on which nothing is, that says when it was asked and waits.
type asMine struct {
	asked chan struct{}
	goOn  chan struct{}
}

func (e asMine) Sweep(ctx context.Context, _ func(string, Identity, bool) bool) ([]string, error) {
	e.asked <- struct{}{}
	<-e.goOn
	return nil, nil
}

// Two that remove the same at a time would each find that it cannot.
func TestSweepsWaitForEachOther(t *testing.T) {
	dir, e := t.TempDir(), asMine{make(chan struct{}), make(chan struct{})}
	ended := make(chan error, 2)
	for range 2 {
		go func() { _, err := Sweep(context.Background(), dir, Places{Engines: []Engine{e}}); ended <- err }()
	}
	<-e.asked
	select {
	case <-e.asked:
		t.Error("a second sweep went on beside the first")
	case <-time.After(3 * lockRetry): // it may be late, and is never early
	}
	impatient, cancel := context.WithTimeout(t.Context(), lockRetry)
	defer cancel()
	if _, err := Sweep(impatient, dir, Places{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a sweep that may not wait: got %v, want %v", err, context.DeadlineExceeded)
	}
	e.goOn <- struct{}{}
	<-e.asked
	e.goOn <- struct{}{}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// What is at a server stays recorded until somebody can get at it.
func TestSweepTellsWhatIsInAVault(t *testing.T) {
	dir, folder := t.TempDir(), filepath.Join(t.TempDir(), "rehearse-over-1")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	r := bequeath(t, dir, "over", func(s *state) { s.Harness, s.Folders = dead(t), []string{folder} })
	if err := r.AddToVault("p", ""); err != nil || r.s.Vault != nil {
		t.Errorf("noted %+v, %v; want nothing of a server that dies with the run", r.s.Vault, err)
	}
	if err := errors.Join(r.AddVault("http://v:8200", "rehearse-over"), r.AddToVault("rehearse-over", ""), r.AddToVault("", "an-accessor")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		report, err := Sweep(t.Context(), dir, Places{})
		if err != nil || len(report.Runs) != 0 || len(report.Left) != 1 {
			t.Fatalf("got %+v, %v; want the run kept, and what it left told", report, err)
		}
		said := Tell(report.Left[0])
		for _, want := range []string{"run over", "rehearse-over", "http://v:8200", "--vault-addr", r.path} {
			if !strings.Contains(said, want) {
				t.Errorf("it says %q, want %s in it", said, want)
			}
		}
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its folder: got %v, want it gone", err)
		}
	}
	var got Vault
	report, err := Sweep(t.Context(), dir, Places{Vault: func(_ context.Context, v Vault) (bool, error) { got = v; return true, nil }})
	if err != nil || !slices.Equal(report.Runs, []string{"over"}) || len(report.Left) != 0 {
		t.Errorf("got %+v, %v; want the run gone", report, err)
	}
	if got.Mount != "rehearse-over" || !slices.Equal(got.Policies, []string{"rehearse-over"}) || !slices.Equal(got.Accessors, []string{"an-accessor"}) {
		t.Errorf("removed %+v; want what was noted", got)
	}
}
