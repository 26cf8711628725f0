package board

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestAnswer(t *testing.T) {
	answer := func(d *desk) string { return look(d, func(s *State) string { return text(s.Answer()) }) }
	recovered := failing()
	for s := range 4 {
		recovered.load(at(12+float64(s)), "web", "checkout", "k2", 2, 0).load(at(12+float64(s)), "app", "search", "k2", 1, 0)
	}
	down := started()
	down.tell(history.Event{At: at(5.1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Attempts: 40, Unavailable: 40,
	}})
	silent := started()
	for s := range 5 {
		silent.load(at(5+float64(s)), "web", "checkout", "k1", 2, 0) // and app says nothing
	}
	back := started()
	back.tell(history.Event{At: at(5.1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Width: at(0.1), Attempts: 40, Unavailable: 40,
	}})
	few := started()
	few.tell(history.Event{At: at(5.1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "web", Validator: "checkout", Credential: "k1", Width: at(0.1), Attempts: 1, Unavailable: 1,
	}})
	for s := range 4 {
		back.load(at(6+float64(s)), "web", "checkout", "k1", 2, 0).load(at(6+float64(s)), "app", "search", "k1", 1, 0)
	}
	for s := range 60 {
		few.load(at(6+float64(s)), "web", "checkout", "k1", 2, 0).load(at(6+float64(s)), "app", "search", "k1", 1, 0)
	}
	spoke := started()
	for s := range 5 {
		spoke.load(at(5+float64(s)), "web", "checkout", "k1", 2, 0) // and app says nothing
	}
	spoke.load(at(10), "web", "checkout", "k1", 2, 0).load(at(10), "app", "search", "k1", 1, 0)
	lenient := limits
	lenient.Objective = 0.5
	inside := newDesk(lenient).tell(phase(0, history.Baseline)).load(0, "app", "search", "k1", 10, 1)
	judged := failing()
	judged.Conclude(judge.Verdict{Verdict: judge.Inconclusive, AuthFailures: judge.CannotTell})
	passed := started()
	passed.Conclude(judge.Verdict{Verdict: judge.Pass, AuthFailures: judge.Flat})
	starting := newDesk(limits)
	starting.Say("building the image")
	for _, tt := range []struct {
		name string
		desk *desk
		want string
	}{
		{"before the first event", starting, "0 STARTING: building the image"},
		{"without attempts", newDesk(limits).tell(phase(0, history.Baseline)), "0 NO ATTEMPTS YET: nothing can be told"},
		{"flat", started(), "1 FLAT SO FAR: 0 of 150 attempts refused"},
		{"refused", failing(), "3 NOT FLAT: search refuses app with k2: 24.4 % now, 10 since 00:11 (overlap); 100 % of k2"},
		{"taken again", recovered, "3 NOT FLAT: search refused app with k2 10 times, 00:11–00:11 (overlap); served again"},
		{"inside the objective", inside, "2 REFUSALS: search refuses app with k1: 10.0 % now, 10 since 00:00 (baseline)"},
		{"down", down, "3 NO SERVICE: search gives app no answer"},
		{"silent", silent, "3 NO SERVICE: search gives app no answer"},
		{"down, and back", back, "3 WAS DOWN: search gave app no answer 40 times, 00:05–00:05 (baseline); served again, 0 of 310 attempts refused"},
		{"a few without an answer", few, "2 GAPS: checkout gave web no answer 1 time, 00:05–00:05 (baseline); served again, 0 of 1,951 attempts refused"},
		{"silent, and back", spoke, "3 WAS DOWN: nothing of app at search came to an end, 00:05–00:10 (baseline); served again, 0 of 280 attempts refused"},
		{"judged", judged, "2 INCONCLUSIVE: it cannot be told whether auth failures stayed flat"},
		{"passed", passed, "1 PASS: auth failures stayed flat"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantText(t, "answer", answer(tt.desk), tt.want) })
	}
}
