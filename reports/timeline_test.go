package reports

import (
	"reflect"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func counts(at time.Duration, source history.Source, credential string, attempts, failures int64) history.Event {
	return history.Event{At: history.Offset(at), Kind: history.KindCounts, Counts: &history.Counts{
		Source: source, Presenter: "web", Validator: "search", Credential: credential,
		Width: history.Offset(100 * time.Millisecond), Attempts: attempts, AuthFailures: failures,
	}}
}

func phase(at time.Duration, p history.Phase) history.Event {
	return history.Event{At: history.Offset(at), Kind: history.KindPhase, Phase: p}
}

func TestTimelineCounts(t *testing.T) {
	const ms = time.Millisecond
	h := &history.History{Events: []history.Event{
		counts(100*ms, history.FromLoad, "k1", 1000, 0), // before the baseline: nothing is judged yet
		phase(200*ms, history.Baseline),
		counts(200*ms, history.FromLoad, "k1", 10, 0),
		counts(200*ms, history.FromLoad, "k2", 5, 4),
		counts(200*ms, history.FromConsumer, "k2", 70, 70),
		counts(200*ms, history.FromProbe, "k2", 90, 90),
		phase(400*ms, history.Accept),
		counts(400*ms, history.FromLoad, "k2", 3, 0),
		{At: history.Offset(500 * ms), Kind: history.KindEnd},
		counts(600*ms, history.FromLoad, "k2", 1000, 0), // after the end
	}}
	got := TimelineOf(h, plan.Limits{JudgedAt: history.FromLoad})
	want := []Point{
		{Attempts: 15, AuthFailures: 4, Credentials: map[string]int64{"k1": 10, "k2": 5}},
		{},
		{Attempts: 3, Credentials: map[string]int64{"k2": 3}},
	}
	if got.Start != history.Offset(200*ms) || got.Width != history.Offset(100*ms) || !reflect.DeepEqual(got.Whole.Points, want) {
		t.Errorf("got from %s every %s %+v, want %+v", got.Start.Wall(), got.Width.Wall(), got.Whole.Points, want)
	}
	if len(got.Tracks) != 2 {
		t.Errorf("got %d tracks, want that of the load and that of the consumer: probes are none", len(got.Tracks))
	}
	if all := TimelineOf(h, plan.Limits{}).Whole.Points[0].Attempts; all != 85 {
		t.Errorf("of every source but probes: got %d attempts in the first point, want 85", all)
	}
}

func TestTimelineOfNothing(t *testing.T) {
	for name, h := range map[string]*history.History{
		"an empty history": {},
		"one that ended before a phase": {Events: []history.Event{
			{Kind: history.KindPlan}, counts(time.Second, history.FromLoad, "k1", 1, 0), {At: 5, Kind: history.KindEnd},
		}},
	} {
		if got := TimelineOf(h, plan.Limits{}); len(got.Whole.Points) != 0 || len(got.Tracks) != 0 {
			t.Errorf("of %s: got %+v, want nothing", name, got)
		}
	}
}

func TestTimelineIsBounded(t *testing.T) {
	h := &history.History{Events: []history.Event{phase(0, history.Baseline)}}
	var attempts int64
	for at := time.Duration(0); at < time.Hour; at += 700 * time.Millisecond {
		h.Events = append(h.Events, counts(at, history.FromLoad, "k1", 1, 0))
		attempts++
	}
	got := TimelineOf(h, plan.Limits{})
	if len(got.Whole.Points) > maxPoints {
		t.Errorf("got %d points, want at most %d", len(got.Whole.Points), maxPoints)
	}
	for _, p := range got.Whole.Points {
		attempts -= p.Attempts
	}
	if attempts != 0 {
		t.Errorf("the points miss %d attempts, want 0", attempts)
	}
}

// What is drawn and what is told in tables come from two sources.
func TestTimelineAgreesWithTheCells(t *testing.T) {
	m := failModel()
	got, want := map[pair]Point{}, map[pair]Point{}
	for _, c := range m.Cells {
		p := want[pairOf(c)]
		p.Attempts, p.AuthFailures = p.Attempts+c.Attempts, p.AuthFailures+c.AuthFailures
		want[pairOf(c)] = p
	}
	for key, track := range m.Timeline.Tracks {
		var sum Point
		for _, p := range track.Points {
			sum.Attempts, sum.AuthFailures = sum.Attempts+p.Attempts, sum.AuthFailures+p.AuthFailures
		}
		got[key] = sum
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTimelineTellsWhatElseHappened(t *testing.T) {
	got := failModel().Timeline
	if want := []Credential{{"k1", "kid-1", ""}, {"k2", "kid-2", ""}}; !reflect.DeepEqual(got.Credentials, want) {
		t.Errorf("credentials: got %+v, want %+v", got.Credentials, want)
	}
	if want := []Switch{{"auth", "k2", history.Milliseconds(360)}}; !reflect.DeepEqual(got.Switches, want) {
		t.Errorf("switches: got %+v, want %+v", got.Switches, want)
	}
}

func TestProofTakesTheLastAnswer(t *testing.T) {
	h := &history.History{Events: []history.Event{
		probe(100, "search", "k1", history.OldAfter, history.OK, "200"),
		probe(200, "search", "k1", history.OldAfter, history.AuthFailure, "401"),
		probe(300, "search", "k1", history.OldAfter, history.OK, "200"),
		probe(400, "search", "k1", history.OldAfter, history.Unavailable, "timeout"),
		probe(500, "search", "k1", history.OldAfter, history.AuthFailure, "403"),
		probe(600, "search", "k1", history.OldAfter, history.AuthFailure, "401"),
	}}
	want := []Proof{{
		Validator: "search", Credential: "k1", Purpose: history.OldAfter, Presentation: "token made before the revoke", Status: "401",
		Outcome: history.AuthFailure, Shown: 6, Taken: 2, Denied: 3, LastTaken: history.Milliseconds(300), Refused: history.Milliseconds(500),
	}}
	if got := TimelineOf(h, plan.Limits{}).Proofs; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPercentiles(t *testing.T) {
	var l latencies
	for i := range int64(100) {
		l.add([][2]int64{{1000 * (i + 1), 1}})
	}
	if p50, p99 := l.percentiles(); p50 != 50 || p99 != 99 {
		t.Errorf("of 1 to 100 ms: got %g and %g, want 50 and 99", p50, p99)
	}
	if p50, p99 := latencies(nil).percentiles(); p50 != 0 || p99 != 0 {
		t.Errorf("of none: got %g and %g, want 0", p50, p99)
	}
}
