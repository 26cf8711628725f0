package tui

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// bare is text without any style.
func bare(text string) string { return ansi.Strip(text) }

// moments are what a screen may show.
var moments = map[string]func(*screen){
	"starting": func(s *screen) { s.board.Say("making the image of the stand-ins") },
	"held": func(s *screen) {
		s.baseline()
		s.operator.asked, s.operator.since = history.Accept, s.clock
		s.clock = s.clock.Add(2e9)
	},
	"refused": func(s *screen) { s.refused() },
	"judged":  func(s *screen) { s.judged() },
	"look": func(s *screen) {
		s.refused()
		s.press("enter")
	},
	"inject": func(s *screen) {
		s.refused()
		s.press("i", "down")
	},
	"help": func(s *screen) {
		s.refused()
		s.press("?")
	},
	"question": func(s *screen) {
		s.refused()
		s.press("r")
	},
}

// TestScreens holds screens against golden files, as a terminal with colour
// shows them and as one does that is told not to.
func TestScreens(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		for _, name := range []string{"starting", "held", "refused", "judged", "look", "inject", "help", "question"} {
			if size[0] > 80 && (name == "starting" || name == "help" || name == "question" || name == "inject") {
				continue // nothing in them depends on the size
			}
			t.Run(fmt.Sprintf("%s at %dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScreen(t, size[0], size[1], name == "held")
				moments[name](s)
				file := fmt.Sprintf("%s-%dx%d", name, size[0], size[1])
				golden(t, file+".txt", trimmed(bare(noColor(t, s.shown())))+"\n")
				if name == "refused" || name == "judged" {
					golden(t, file+".ansi", s.shown()+"\n")
				}
			})
		}
	}
}

// trimmed is text without blanks at the ends of its lines.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// noColor is what a terminal gets with NO_COLOR set.
func noColor(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := io.WriteString(&colorprofile.Writer{Forward: &b, Profile: colorprofile.ASCII}, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var colour = regexp.MustCompile(`\x1b\[([0-9]+;)*(3|4|9|10)[0-7](;[0-9]+)*m`)

// TestBlackAndWhite wants the same signs and words without colour.
func TestBlackAndWhite(t *testing.T) {
	for name, prepare := range moments {
		s := newScreen(t, 120, 40, false)
		prepare(s)
		shown := s.shown()
		without := noColor(t, shown)
		if bare(without) != bare(shown) {
			t.Errorf("%s: without colour there are other words", name)
		}
		if found := colour.FindString(without); found != "" {
			t.Errorf("%s: there is colour without colour: %q", name, found)
		}
		if name == "refused" && colour.FindString(shown) == "" {
			t.Errorf("%s: there is no colour where there may be", name)
		}
	}
}

// TestEverySizeFits draws every moment at every size that a terminal may have
// on its way from one to another.
func TestEverySizeFits(t *testing.T) {
	for name, prepare := range moments {
		s := newScreen(t, 80, 24, false)
		prepare(s)
		for _, width := range []int{1, 2, 7, 20, 49, 50, 64, 80, 99, 100, 115, 149, 150, 160, 240} {
			for _, height := range []int{1, 2, 5, 11, 12, 13, 24, 33, 40, 70} {
				s.width, s.height = width, height
				s.help.SetWidth(max(width-2, 1))
				got := strings.Split(s.shown(), "\n")
				if len(got) != height {
					t.Fatalf("%s at %dx%d: got %d lines", name, width, height, len(got))
				}
				for i, line := range got {
					if n := ansi.StringWidth(line); n > width {
						t.Fatalf("%s at %dx%d: line %d has %d columns: %q", name, width, height, i, n, bare(line))
					}
				}
			}
		}
	}
}

// TestTheAnswerComesFirst looks at the first line alone, down to the smallest
// terminal that anybody has.
func TestTheAnswerComesFirst(t *testing.T) {
	for _, width := range []int{40, 80, 240} {
		s := newScreen(t, width, 8, false).refused()
		if first, _, _ := strings.Cut(bare(s.shown()), "\n"); !strings.HasPrefix(first, " NOT FLAT  search refuses app") {
			t.Errorf("%d columns: got %q, want that it is not flat, and who", width, first)
		}
	}
}

// TestHostileNamesSteerNothing has services that are called, and log, what
// would steer a terminal.
func TestHostileNamesSteerNothing(t *testing.T) {
	s := newScreen(t, 120, 40, false)
	s.load(0, 2, "app\x1b[2J", "search\x07", "k\x1b]0;title\x07", 3, 1)
	s.tell(history.Event{At: at(1), Kind: history.KindFault, Fault: &history.Fault{Kind: "pause\r\n", Target: "\x1b[31m", Stage: "failed", Detail: "\x1bc"}})
	s.logs = []string{"\x1b[5m blinks", `{"time":"2026-11-23T02:00:01Z","msg":"\u001b[5m","detail":"\u009b5m"}`}
	for _, mode := range []mode{overview, looking} {
		s.mode, s.looked = mode, "search"
		for _, bad := range []string{"\x1b[2J", "\x07", "\x1b]0", "\x1bc", "\x1b[5m", "\u009b", "\r"} {
			if strings.Contains(s.shown(), bad) {
				t.Errorf("mode %d: %q came through", mode, bad)
			}
		}
	}
}
