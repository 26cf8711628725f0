package tui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestInjectAndUndo(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	s.press("i")
	s.wantShown("kill on search", "pause on search", "ends a service at once")
	s.press("down")
	s.wantShown("freezes a service")
	s.press("enter")
	s.wantShown("pause on search: on its way")
	s.wantDid("inject pause search")
	fault := func(seconds float64, kind, stage string) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindFault, Fault: &history.Fault{Kind: kind, Target: "search", Stage: stage}}
	}
	s.tell(fault(6, "pause", "injected"))
	s.press("u") // the only one: nothing to choose
	s.wantDid("inject pause search", "undo pause search")
	s.tell(fault(7, "pause", "undone"))
	s.press("u")
	s.wantShown("no fault is under way")
	s.tell(fault(8, "pause", "injected"), fault(9, "kill", "injected"))
	s.press("u")
	s.wantShown("undo a fault", "pause on search", "kill on search")
	s.press("down", "enter")
	s.wantDid("inject pause search", "undo pause search", "undo kill search")
	s.press("i", "esc")
	if s.mode != overview {
		t.Error("esc does not leave the menu")
	}
}

func TestWhatIsRefusedIsSaid(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	s.controls.refuses = true
	s.press("i", "enter")
	s.wantShown("it is not possible")
}

func TestBeforeTheServicesAreUp(t *testing.T) {
	s := newScreen(t, 80, 24, false)
	s.operator.controls = nil
	for _, k := range []string{"i", "u", "h", "r", "a", "g"} {
		s.press(k)
		s.wantShown("the services are not up yet")
		s.notice = ""
	}
	s.press("enter") // no log to be had, and nothing breaks
	s.wantShown("nothing yet")
}

// TestShownAgain: of a run that is over nothing can be changed, and it can be left at any time.
func TestShownAgain(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	s.model.replay = true
	for _, k := range []string{"i", "u", "h", "r", "a", "g"} {
		s.press(k)
		s.wantShown("it is over, and nothing of it can be changed")
		s.notice = ""
	}
	s.wantDid()
	s.press("q")
	if !s.quit {
		t.Error("q asks before it leaves a run that is over")
	}
}

func TestRollBackAndAbortAsk(t *testing.T) {
	for key, want := range map[string]world.Command{"r": world.RollBack, "a": world.Abort} {
		s := newScreen(t, 80, 24, false).refused()
		s.press(key, "n")
		select {
		case got := <-s.operator.Interrupt():
			t.Errorf("%s and then no: got %q, want nothing", key, got)
		default:
		}
		s.press(key)
		s.wantShown("y yes · any other key no")
		s.press("y")
		select {
		case got := <-s.operator.Interrupt():
			if got != want {
				t.Errorf("%s and then yes: got %q, want %q", key, got, want)
			}
		default:
			t.Errorf("%s and then yes: got nothing, want %q", key, want)
		}
	}
}

// TestGoOnAndApprove holds the run before a phase and before the revoke, which
// has a key of its own.
func TestGoOnAndApprove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 80, 24, true).baseline()
		for _, tt := range []struct {
			phase      history.Phase
			wrong, key string
			says       string
		}{
			{history.Accept, "y", "g", "before accept: g goes on"},
			{history.Revoke, "g", "y", "before the revoke of k1: y approves it"},
		} {
			answers := approve(t.Context(), s.operator, tt.phase)
			synctest.Wait()
			s.wantShown("ON HOLD", tt.says)
			s.press(tt.wrong)
			synctest.Wait()
			if len(answers) > 0 {
				t.Fatalf("%s lets %s begin", tt.wrong, tt.phase)
			}
			s.press(tt.key)
			if got := <-answers; got.command != world.Approved {
				t.Errorf("%s: got %+v, want that it is approved", tt.key, got)
			}
		}
		s.press("g")
		s.wantShown("nothing waits for it")
	})
}

// TestTheRevokeIsAskedForAgain shows what the gate says no to, and is answered by keys
// of its own: a key that was pressed before is no answer.
func TestTheRevokeIsAskedForAgain(t *testing.T) {
	for key, want := range map[string]world.Command{"y": world.Approved, "n": world.Wait, "esc": world.Wait} {
		synctest.Test(t, func(t *testing.T) {
			s := newScreen(t, 80, 24, true).baseline()
			s.press("y")
			answers := make(chan answer, 1)
			go func() {
				command, err := s.operator.Confirm(t.Context(), history.Revoke, "nightly still uses k1; and "+strings.Repeat("much more ", 20))
				answers <- answer{command, err}
			}()
			synctest.Wait()
			if len(answers) > 0 {
				t.Fatal("it was answered before it was asked")
			}
			s.wantShown("ON HOLD", "the gate before the revoke says no: y revokes, n waits, r rolls back", "the gate says no: nightly still", "Revoke anyway?", "y yes · n no")
			s.press("h") // to hold no more approves nothing that a gate says no to
			synctest.Wait()
			if len(answers) > 0 {
				t.Fatal("it was answered by holding no more")
			}
			s.press(key)
			if got := <-answers; got.command != want || got.err != nil {
				t.Errorf("%s: got %+v, want %q", key, got, want)
			}
			if says := s.operator.state().says; says != "" {
				t.Errorf("afterwards it still asks over %q", says)
			}
		})
	}
}

func TestHoldIsToggled(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	s.press("h")
	if !s.operator.holds() {
		t.Error("h does not hold")
	}
	s.wantShown(" HOLD ", "holds before each phase from now on")
	s.press("h")
	if s.operator.holds() {
		t.Error("another h holds on")
	}
	s.wantDid("note: holds before each phase from now on", "note: lets phases begin by themselves")
}

func TestLookInto(t *testing.T) {
	s := newScreen(t, 100, 30, false).refused()
	s.press("down", "down", "enter")
	s.wantShown("checkout · 1 of 5", "validates with keyfunc: learns when it meets a new one")
	s.press("right")
	s.wantShown("search · 2 of 5", "jwx: learns within 15m", "codes 200 × 109, 401 × 8", "k2 8, 8 refused", "fetched k1 holds k1", "accepted k1 of app (200) ×2")
	s.press("right", "right", "right")
	s.wantShown("load · 5 of 5")
	s.press("right", "left", "left")
	s.wantShown("store · 4 of 5")
	s.press("esc")
	s.wantShown("who → whom")
}

func TestQuit(t *testing.T) {
	s := newScreen(t, 80, 24, false).refused()
	s.press("q")
	s.wantShown("leave the screen")
	s.press("n")
	if s.quit {
		t.Fatal("no leaves the screen")
	}
	s.press("q", "y")
	if !s.quit || s.interrupted {
		t.Errorf("quit %t, interrupted %t; want it left and the run going on", s.quit, s.interrupted)
	}
	held := newScreen(t, 80, 24, true).refused()
	held.press("q")
	held.wantShown("a person is needed")
	if held.quit {
		t.Error("a held run was left alone")
	}
	done := newScreen(t, 80, 24, true).judged()
	done.press("q")
	if !done.quit {
		t.Error("q does not leave when all is told")
	}
}

func TestInterruptKey(t *testing.T) {
	for _, before := range [][]string{nil, {"i"}, {"enter"}, {"?"}, {"r"}} {
		s := newScreen(t, 80, 24, true).refused()
		s.press(before...)
		s.press("ctrl+c")
		if !s.interrupted || !s.quit {
			t.Errorf("after %q: interrupted %t, quit %t; want both", before, s.interrupted, s.quit)
		}
	}
}

func TestVerdict(t *testing.T) {
	s := newScreen(t, 80, 20, false).judged()
	s.wantShown(" FAIL ", "app was refused 8 times by search", "more lines: pgdn")
	s.press("pgdown", "pgdown")
	s.wantShown("this secret's consumers have no ledger")
	s.press("pgup", "pgup", "pgup")
	s.wantShown("✗ auth-failures-flat: app was refused")
	s.press("tab")
	s.wantShown("rotation ended: complete", "── events")
	s.press("pgup")
	s.wantShown("lines back: pgdn")
	s.press("tab", "r")
	s.wantShown("the rotation is over")
}

func TestNoticesGo(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	s.press("u")
	s.wantShown("no fault is under way")
	s.clock = s.clock.Add(noticeFor + time.Second)
	if strings.Contains(s.shown(), "no fault is under way") {
		t.Error("a short message stays for ever")
	}
}

// TestAResizeIsFollowed has a terminal that changes while it is looked at.
func TestAResizeIsFollowed(t *testing.T) {
	s := newScreen(t, 80, 24, false).refused()
	for _, size := range [][2]int{{240, 70}, {80, 24}, {10, 3}, {120, 40}} {
		s.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		if lines := strings.Count(s.shown(), "\n") + 1; lines != size[1] {
			t.Errorf("%v: got %d lines", size, lines)
		}
	}
}

// TestManyConsumers shows those that fail, and lets the cursor reach the others.
func TestManyConsumers(t *testing.T) {
	s := newScreen(t, 80, 24, false).baseline()
	for i := range 100 {
		name := "service-" + string(rune('a'+i/10)) + string(rune('0'+i%10))
		s.load(5, 5.2, "web", name, "k1", 1, 0)
	}
	s.load(5.2, 5.4, "web", "service-j9", "k1", 2, 2)
	s.wantShown("web → service-j9", "more: ↓")
	for range 102 {
		s.press("down")
	}
	s.wantShown("▸ ✓ web → service-j8")
}
