package tui

import (
	"strings"
	"testing"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// hostile steers a terminal where it comes out as it is.
const hostile = "x\x1b]0;owned\x07\x1b[2J\u009b31m\u202egnp\u2028\r\n\x1b[1;1Hforged"

// TestNothingHostileComesOnTheScreen shows names, details and findings that are
// hostile, on every screen there is.
func TestNothingHostileComesOnTheScreen(t *testing.T) {
	for name, press := range map[string][]string{
		"table": nil, "look": {"enter"}, "next": {"enter", "right"}, "story": {"tab"}, "inject": {"i"}, "undo": {"u"}, "question": {"r"}, "help": {"?"},
	} {
		for _, concluded := range []bool{false, true} {
			s := newScreen(t, 160, 60, false).refused()
			s.board.Say(hostile)
			s.tell(
				history.Event{At: at(12), Kind: history.KindCredential, Credential: hostile, Identifier: hostile},
				history.Event{At: at(12), Kind: history.KindStep, Step: hostile, Credential: hostile, Detail: hostile},
				history.Event{At: at(12), Kind: history.KindFetched, Service: hostile, Credentials: []string{hostile}, Holds: []string{hostile}},
				history.Event{At: at(12), Kind: history.KindLearned, Service: "search", Credential: hostile},
				history.Event{At: at(12), Kind: history.KindLoaded, Service: hostile, Detail: hostile},
				history.Event{At: at(12), Kind: history.KindEmitting, Service: hostile, Credential: hostile},
				history.Event{At: at(12), Kind: history.KindPublished, Service: hostile, Credentials: []string{hostile}},
				history.Event{At: at(12), Kind: history.KindTrouble, Detail: hostile},
				history.Event{At: at(12), Kind: history.KindExit, Service: hostile, Detail: hostile},
				history.Event{At: at(12), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Emit, Mode: hostile, Consumer: hostile, Detail: hostile}},
				history.Event{At: at(12), Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRollBack, Trigger: hostile, Why: hostile}},
				history.Event{At: at(12), Kind: history.KindFault, Fault: &history.Fault{Kind: hostile, Target: hostile, Stage: "injected", By: hostile}},
				history.Event{At: at(12), Kind: history.KindFault, Fault: &history.Fault{Kind: hostile, Target: hostile, Stage: "evidence", By: hostile, Evidence: map[string]float64{hostile: 1}}},
				history.Event{At: at(12), Kind: history.KindFault, Fault: &history.Fault{Kind: "kill", Target: hostile, Stage: "failed", By: hostile, Detail: hostile}},
				history.Event{At: at(12), Kind: history.KindRead, Reader: hostile, What: hostile},
				history.Event{At: at(12), Kind: history.KindOperator, Detail: hostile},
			).load(12, 13, hostile, hostile, hostile, 2, 1)
			if concluded {
				s.board.Conclude(judge.Verdict{
					Verdict: judge.Fail, AuthFailures: judge.NotFlat, Why: hostile,
					Findings: []judge.Finding{{RuleID: hostile, Level: judge.Error, Message: hostile, Presenter: hostile, Validator: hostile, Consumer: hostile,
						Credential: hostile, CausedBy: hostile, FirstPhase: hostile, Count: 8, Fix: hostile}},
					Rules: []judge.Rule{{ID: hostile, Outcome: judge.Fail, Detail: hostile}},
				})
			}
			s.press(press...)
			shown := s.shown()
			// Styles are ours: what is left without them must steer nothing.
			for _, r := range bare(shown) {
				if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
					t.Errorf("%s, concluded %t: the screen has %U", name, concluded, r)
					break
				}
			}
			for _, order := range []string{"\x1b]", "\x1b[2J", "\x1b[1;1H"} {
				if strings.Contains(shown, order) {
					t.Errorf("%s, concluded %t: the screen has %q", name, concluded, order)
				}
			}
			if !strings.Contains(bare(shown), "gnp") && name != "help" && name != "question" && name != "inject" {
				t.Errorf("%s, concluded %t: nothing hostile is on the screen, also not made harmless:\n%s", name, concluded, bare(shown))
			}
		}
	}
}
