package board

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// track is a track in letters: - to come, > under way, + done, x cut.
func track(s *State) string {
	var parts []string
	for _, stage := range s.Track() {
		parts = append(parts, string("->+x"[stage.State])+string(stage.Phase))
	}
	return strings.Join(parts, " ")
}

func TestTrack(t *testing.T) {
	back := failing().tell(
		history.Event{At: at(12), Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRollBack, Why: "asked"}},
		phase(12, history.Rollback),
	)
	wantText(t, "before the start", look(newDesk(limits), track), "-baseline -accept -verify -emit -overlap -revoke -watch")
	wantText(t, "in the overlap", look(failing(), track), "+baseline +accept +verify +emit >overlap -revoke -watch")
	wantText(t, "on the way back", look(back, track), "+baseline +accept +verify +emit xoverlap -revoke -watch >rollback")
	back.tell(history.Event{At: at(20), Kind: history.KindEnd, Detail: history.EndedRolledBack})
	wantText(t, "rolled back", look(back, track), "+baseline +accept +verify +emit xoverlap -revoke -watch +rollback")
	cut := failing().tell(history.Event{At: at(13), Kind: history.KindEnd, Detail: history.EndedInterrupted})
	wantText(t, "interrupted", look(cut, track), "+baseline +accept +verify +emit xoverlap -revoke -watch")
}

func TestClock(t *testing.T) {
	c := look(failing(), (*State).Clock)
	// The last emitter switched at 10.1 s, the overlap began at 10.2 s, and the window
	// lasts 12 m of the page; the watch lasts 20 m.
	wantText(t, "clock", fmt.Sprint(c.Elapsed, c.Length, c.Left(), c.All), "1.7s 11.9s 10.2s 30.2s")
	// On hold it stands still: of a phase that began on hold, and of one in which a
	// person was waited for.
	onHold := failing().tell(history.Event{At: at(14), Kind: history.KindOperator, Began: at(12), Detail: "went on"})
	wantText(t, "after a hold", fmt.Sprint(look(onHold, (*State).Clock).Elapsed), "1.8s")
	if c := look(newDesk(limits), (*State).Clock); c != (Clock{}) {
		t.Errorf("before the start: got %+v, want nothing", c)
	}
}

func checks(s *State) string {
	var lines []string
	for _, c := range s.Checks() {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.Phase, c.Standing, c.Text))
	}
	return strings.Join(lines, "\n")
}

func TestChecks(t *testing.T) {
	wantText(t, "in the baseline", look(newDesk(limits).tell(phase(0, history.Baseline)), checks), strings.TrimSpace(`
baseline waiting: waits: web made 0 attempts at checkout in the baseline, want at least 20; app made 0 attempts at search in the baseline, want at least 20
verify later: the lead is long enough, every validator takes the new one
emit later: every emitter uses the new one
overlap later: the window is long enough, nobody uses the old one
watch later: every validator refuses the old one and takes the new one`))
	verify := started().tell(
		phase(5, history.Accept), history.Event{At: at(5), Kind: history.KindCredential, Credential: "k2", Identifier: "kid-2"}, phase(5.1, history.Verify),
	)
	wantText(t, "in verify", strings.Split(look(verify, checks), "\n")[1], "verify waiting: waits: the lead is 5m and must be at least 16m15s for search (learns 15m + refresh of auth 45s + propagation 30s), and search has not taken k2")
	wantText(t, "in the overlap", look(failing(), checks), strings.TrimSpace(`
baseline later: every client is seen, failures inside 99.9 %
verify not held: search has not taken k2
emit held: every emitter uses k2
overlap waiting: waits: app used k1 11 times in the last 1m; web used k1 2 times in the last 1m
watch later: every validator refuses k1 and takes k2`))
	watch := failing().tell(phase(23, history.Revoke), phase(23, history.Watch),
		history.Event{At: at(24), Kind: history.KindProbe, Service: "checkout", Credential: "k1", Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.OK}},
		history.Event{At: at(23), Kind: history.KindStep, Step: "revoke", Credential: "k1"},
		history.Event{At: at(24), Kind: history.KindProbe, Service: "search", Credential: "k1", Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.AuthFailure}})
	if got := strings.Split(look(watch, checks), "\n")[4]; got != "watch waiting: waits: checkout still takes k1 1m after the revoke, the bound is 16m15s" {
		t.Errorf("in the watch: got %s, want that checkout still takes k1, and search does not", got)
	}
	watch.tell(history.Event{At: at(25), Kind: history.KindProbe, Service: "checkout", Credential: "k1", Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.AuthFailure}})
	wantText(t, "at the end of the watch", strings.Split(look(watch, checks), "\n")[4], "watch waiting: nothing is missing so far")
	off := limits
	off.Gates = "off"
	wantText(t, "gates that are off", strings.Split(look(newDesk(off), checks), "\n")[0], "baseline skipped: gates are off")
}

func TestNeeds(t *testing.T) {
	needs := func(s *State) string {
		var texts []string
		for _, n := range s.Needs() {
			texts = append(texts, fmt.Sprintf("%s %t", n.Text(), n.Short()))
		}
		return strings.Join(texts, "\n")
	}
	wantText(t, "needs", look(newDesk(limits), needs), strings.TrimSpace(`
lead 5m, must be 16m15s for search true
window 12m, needs 10m30s false
watch 20m, needs 16m15s for checkout false`))
	never := limits
	never.Validators = append(never.Validators[:1:1], never.Validators[1])
	never.Validators[1].Learns = runbook.Forever
	wantText(t, "of one that never learns", look(newDesk(never), func(s *State) string { return s.Need(history.Verify).Text() }),
		"lead 5m, and none is enough for search")
}

func TestFaults(t *testing.T) {
	fault := func(seconds float64, stage string, took bool) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindFault, Fault: &history.Fault{Kind: "pause", Target: "search", Stage: stage, Took: took, By: "operator"}}
	}
	d := started().tell(fault(6, "injected", false), fault(7, "evidence", true))
	if got := look(d, (*State).Faults); len(got) != 1 || !got[0].UnderWay() || !got[0].Took || got[0].By != "operator" {
		t.Errorf("got %+v, want one that is under way and took effect", got)
	}
	d.tell(fault(8, "undone", false), fault(9, "injected", false))
	if got := look(d, (*State).Faults); len(got) != 2 || got[0].UnderWay() || got[0].Undone != at(8) || !got[1].UnderWay() || got[1].Measured {
		t.Errorf("got %+v, want one undone and another under way", got)
	}
}

func TestServices(t *testing.T) {
	got := strings.Join(look(started(), (*State).Services), " ")
	wantText(t, "services", got, "checkout search auth store load")
}

func TestCredentialsByName(t *testing.T) {
	got := look(failing(), func(s *State) string {
		return strings.Join([]string{s.Old(), s.New(), s.Credential("kid-2"), s.Credential("another")}, " ")
	})
	wantText(t, "credentials", got, "k1 k2 k2 another")
}

// TestClockStandsStillAfterTheRotation reads the clock long after the end.
func TestClockStandsStillAfterTheRotation(t *testing.T) {
	d := failing().tell(history.Event{At: at(13), Kind: history.KindEnd, Detail: history.EndedComplete})
	d.clock = d.began.Add(at(100).Duration())
	if now := look(d, (*State).Now); now != at(13) {
		t.Errorf("got %s, want 13s", now.Wall())
	}
}

// TestALongRunIsFolded: the screen of an attached rehearsal that goes on for hours
// keeps no more of it than the rotation does.
func TestALongRunIsFolded(t *testing.T) {
	d := started()
	const tenths = 54_000 // an hour and a half
	for i := range tenths {
		d.tell(history.Event{At: at(10 + float64(i)/10), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Width: at(0.1), Attempts: 1, OK: 1,
			Statuses: map[string]int64{"200": 1},
		}})
	}
	kept := look(d, func(s *State) int {
		return len(s.View().Cells[history.CellKey{Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1"}])
	})
	if kept > 30_000 {
		t.Errorf("got %d buckets of %d, want most of them folded", kept, tenths)
	}
}
