//go:build unix

package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
)

// patience bounds what a test waits for; no test is right by waiting.
const patience = 20 * time.Second

// terminal is a pseudo-terminal with somebody before it.
type terminal struct {
	keyboard *os.File // what is typed, and what is shown
	tty      *os.File // what a program sees

	mu    sync.Mutex
	shown bytes.Buffer
}

// open makes a terminal. One that is read shows what is written to it; one that
// is not is stuck as soon as the kernel's buffer is full.
func open(t *testing.T, read bool) *terminal {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 60, Cols: 200}); err != nil {
		t.Fatal(err)
	}
	v := &terminal{keyboard: keyboard, tty: tty}
	var reading sync.WaitGroup
	if read {
		reading.Go(func() {
			buffer := make([]byte, 4096)
			for {
				n, err := keyboard.Read(buffer)
				v.mu.Lock()
				v.shown.Write(buffer[:n])
				v.mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		_ = keyboard.Close() // what is written to a stuck one ends with an error
		_ = tty.Close()
		reading.Wait()
	})
	return v
}

func (v *terminal) text() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.shown.String()
}

// await waits until something was shown.
func (v *terminal) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(v.text(), text) {
			return
		}
	}
	t.Fatalf("%q was not shown within %s, but %q", text, patience, v.text())
}

func (v *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := v.keyboard.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// state is how the terminal is set: raw or as the shell had it.
func (v *terminal) state(t *testing.T) term.State {
	t.Helper()
	s, err := term.GetState(int(v.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

func (v *terminal) options(interrupt func()) Options {
	return Options{
		Run: board.Run{Name: "a/b", Limits: limits, Baseline: 5 * time.Minute}, In: v.tty, Out: v.tty,
		Console: console.Options{Width: 200}, Interrupt: interrupt,
	}
}

const (
	intoScreen  = "\x1b[?1049h" // the other screen of a terminal (xterm, DECSET 1049)
	outOfScreen = "\x1b[?1049l"
)

// within fails where something does not end.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("%s did not end within %s", what, patience)
	}
}

// TestTheTerminalIsWholeAgain leaves the screen in every way there is.
func TestTheTerminalIsWholeAgain(t *testing.T) {
	interrupted := make(chan struct{}, 1)
	for _, tt := range []struct {
		name  string
		leave func(t *testing.T, v *terminal, u *UI, cancel func())
		says  string
	}{
		{"by a key", func(t *testing.T, v *terminal, u *UI, _ func()) {
			v.press(t, "q")
			v.await(t, "leave the screen")
			v.press(t, "y")
			<-u.left
		}, "the run goes on, told in lines"},
		{"by Ctrl-C", func(t *testing.T, v *terminal, u *UI, _ func()) {
			v.press(t, "\x03")
			<-interrupted
		}, "ending: faults are undone"},
		{"by the end of the run's context", func(t *testing.T, v *terminal, u *UI, cancel func()) {
			cancel()
			<-u.left
		}, "ending: faults are undone"},
		{"by Close", func(t *testing.T, v *terminal, u *UI, _ func()) {
			if err := u.Close(); err != nil {
				t.Error(err)
			}
		}, ""},
		{"by the verdict and a key", func(t *testing.T, v *terminal, u *UI, _ func()) {
			var reading sync.WaitGroup
			reading.Go(func() { u.Conclude(judge.Verdict{Verdict: judge.Pass, AuthFailures: judge.Flat}) })
			v.await(t, "PASS")
			v.press(t, "q")
			reading.Wait()
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := open(t, true)
			before := v.state(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			u := New(v.options(func() { interrupted <- struct{}{} }))
			if err := u.Start(ctx); err != nil {
				t.Fatal(err)
			}
			v.await(t, intoScreen)
			if reflect.DeepEqual(v.state(t), before) {
				t.Error("the terminal is as it was while the screen is on it: want it raw")
			}
			within(t, "leaving", func() { tt.leave(t, v, u, cancel) })
			if !reflect.DeepEqual(v.state(t), before) {
				t.Error("the terminal is not as it was")
			}
			v.await(t, outOfScreen)
			if tt.says != "" {
				v.await(t, tt.says)
				u.Event(history.Event{Kind: history.KindOperator, Detail: "went on"})
				v.await(t, "operator: went on") // a console has taken over
			}
			if err := u.Close(); err != nil {
				t.Error(err)
			}
			_, after, _ := strings.Cut(v.text(), outOfScreen)
			if tt.says == "" && strings.Contains(after, "the run") {
				t.Errorf("got %q after the screen, want nothing of a run that is over", after)
			}
		})
	}
}

// broken is a screen with a defect in one of its parts.
type broken struct {
	*model
	in string
	at *bool // from when on
}

func (b broken) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		*b.at = true
		switch b.in {
		case "update":
			panic("a defect of the screen")
		case "command":
			return b, tea.Batch(tick(), func() tea.Msg { panic("a defect of the screen") })
		}
	}
	_, command := b.model.Update(msg)
	return b, command
}

func (b broken) View() tea.View {
	if b.in == "view" && *b.at {
		panic("a defect of the screen")
	}
	return b.model.View()
}

// TestAPanicLeavesTheTerminalWhole has the screen break down: the run goes on
// without it, and one that is on hold, which nobody can be asked about, ends.
func TestAPanicLeavesTheTerminalWhole(t *testing.T) {
	for _, in := range []string{"update", "command", "view"} {
		t.Run(in, func(t *testing.T) {
			v := open(t, true)
			before := v.state(t)
			o := v.options(nil)
			o.Hold = true
			u := New(o)
			u.draw(broken{u.model, in, new(bool)})
			if err := u.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			held := approve(t.Context(), u.operator, history.Emit)
			v.await(t, "ON HOLD")
			v.press(t, "x")
			within(t, "leaving", func() { <-u.left })
			if !reflect.DeepEqual(v.state(t), before) {
				t.Error("the terminal is not as it was")
			}
			v.await(t, outOfScreen)
			v.await(t, "the screen failed, and the run goes on without it")
			v.await(t, "a defect of the screen")
			within(t, "the hold", func() {
				if got := <-held; !errors.Is(got.err, errNoScreen) {
					t.Errorf("on hold: got %+v, want that nobody can be asked", got)
				}
			})
			if err := u.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// recorded plays a run of many events to a recorder, which is told to listen to
// l, and returns the file of events and the verdict.
func recorded(t *testing.T, l history.Listener) ([]byte, judge.Verdict) {
	t.Helper()
	var file bytes.Buffer
	r := history.NewRecorder(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), &file)
	if l != nil {
		r.Listen(l)
	}
	plan, err := json.Marshal(limits)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "recording", func() { // more than any queue holds, with lines of the story among them
		r.Record(history.Event{Kind: history.KindPlan, Plan: plan})
		for i := range 20_000 {
			at := history.Offset(i) * history.Offset(time.Millisecond)
			r.Record(history.Event{At: at, Kind: history.KindCounts, Counts: &history.Counts{
				Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Attempts: 1, OK: 1}})
			if i%10 == 0 {
				r.Record(history.Event{At: at, Kind: history.KindOperator, Detail: "says something"})
			}
		}
	})
	var h *history.History
	within(t, "closing", func() {
		if h, err = r.Close(time.Second); err != nil {
			t.Error(err)
		}
	})
	return file.Bytes(), rules.Judge(h, limits)
}

// TestAStuckTerminalChangesNothing has a terminal that never reads, with the
// screen on it and after it was left: what is recorded and judged is the same.
func TestAStuckTerminalChangesNothing(t *testing.T) {
	wantFile, wantVerdict := recorded(t, nil)
	for _, left := range []bool{false, true} {
		v := open(t, false)
		before := v.state(t)
		var filling sync.WaitGroup
		filling.Go(func() { // more than the kernel's buffer holds: it ends when the window is closed
			if _, err := v.tty.Write(make([]byte, 1<<20)); err == nil {
				t.Error("a terminal that nobody reads took a megabyte")
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		u := New(v.options(nil))
		if err := u.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if left {
			u.gate.opened.Store(true) // as if the console had taken over, which then meets it
		}
		file, verdict := recorded(t, u)
		if !bytes.Equal(file, wantFile) {
			t.Errorf("left %t: the file of events is another", left)
		}
		if !reflect.DeepEqual(verdict, wantVerdict) {
			t.Errorf("left %t: got verdict %+v, want %+v", left, verdict, wantVerdict)
		}
		cancel() // as SIGTERM does
		within(t, "leaving a stuck terminal", func() { <-u.left })
		if !reflect.DeepEqual(v.state(t), before) {
			t.Errorf("left %t: the terminal is not as it was", left)
		}
		if u.gate.opened.Load() {
			t.Errorf("left %t: the terminal was not stuck: this has shown nothing", left)
		}
		if err := v.keyboard.Close(); err != nil { // the window is closed
			t.Error(err)
		}
		within(t, "the screen of a terminal that is gone", u.program.Wait)
		filling.Wait()
	}
}
