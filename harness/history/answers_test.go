package history

import "testing"

func TestAnswersOfReplicas(t *testing.T) {
	t.Parallel()
	answer := func(at Offset, outcome Outcome, latency Offset) Event {
		return Event{At: at, Kind: KindProbe, Service: "search", Credential: "k1", Probe: &Probe{Purpose: OldAfter, Outcome: outcome, Latency: latency}}
	}
	for _, tt := range []struct {
		name   string
		events []Event
		want   Answers
	}{
		{"taken, then refused", []Event{answer(10*ms, OK, ms), answer(20*ms, AuthFailure, ms), answer(30*ms, AuthFailure, ms)},
			Answers{Taken: 1, Refused: 2, LastTaken: 10 * ms, LastAsked: 9 * ms, FirstRefused: 20 * ms, RefusedSince: 20 * ms, InARow: 2}},
		{"one replica of two keeps it", []Event{answer(10*ms, OK, ms), answer(20*ms, AuthFailure, ms), answer(30*ms, OK, ms), answer(40*ms, AuthFailure, ms)},
			Answers{Taken: 2, Refused: 2, LastTaken: 30 * ms, LastAsked: 29 * ms, FirstRefused: 20 * ms, RefusedSince: 40 * ms, InARow: 1, Again: 1}},
		// It was asked before the refusal came: no replica need be another.
		{"a slow answer that overtakes none", []Event{answer(20*ms, AuthFailure, ms), answer(30*ms, OK, 25*ms)},
			Answers{Taken: 1, Refused: 1, LastTaken: 30 * ms, LastAsked: 5 * ms, FirstRefused: 20 * ms, RefusedSince: 20 * ms}},
		{"no answer decides nothing", []Event{answer(10*ms, AuthFailure, ms), answer(20*ms, Unavailable, ms), answer(30*ms, AuthFailure, ms)},
			Answers{Refused: 2, Unanswered: 1, FirstRefused: 10 * ms, RefusedSince: 10 * ms, InARow: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := viewOf(tt.events...).Said("search", "k1", OldAfter)
			got.refused, got.Last = nil, Probe{}
			if !equalAnswers(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func equalAnswers(a, b Answers) bool {
	return a.Taken == b.Taken && a.Refused == b.Refused && a.Unanswered == b.Unanswered && a.LastTaken == b.LastTaken && a.LastAsked == b.LastAsked &&
		a.FirstRefused == b.FirstRefused && a.RefusedSince == b.RefusedSince && a.InARow == b.InARow && a.Again == b.Again
}

func TestUsualIsOfTheBaseline(t *testing.T) {
	t.Parallel()
	v := viewOf(
		Event{At: 0, Kind: KindPhase, Phase: Baseline},
		counted(10*ms, "app", "k1", 10, 1), counted(20*ms, "web", "k1", 10, 0),
		Event{At: 30 * ms, Kind: KindPhase, Phase: Accept},
		counted(40*ms, "app", "k1", 10, 10),
	)
	if refused, of := v.Usual(FromLoad, "search"); refused != 1 || of != 20 {
		t.Errorf("got %d of %d, want 1 of 20", refused, of)
	}
}
