package logs

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

func TestLedgerMatchesBothSides(t *testing.T) {
	like := history.Irregular{Presenter: "billing", Validator: "payments", Credential: "k1", Was: "401"}
	again := history.Irregular{Presenter: "billing", Validator: "payments", Credential: "k2", Earlier: "k1", Was: "401"}
	type told struct {
		order   string
		effect  history.Effect
		settled history.Settled
	}
	for _, tt := range []struct {
		name string
		told []told
		want history.Ledger
		what []string
	}{
		{"nothing", nil, history.Ledger{}, nil},
		{"done", []told{{"a", history.EffectMade, ""}, {"a", "", history.SettledDone}}, history.Ledger{Orders: 1, Done: 1, Effects: 1}, nil},
		{"told the other way round", []told{{"a", "", history.SettledDone}, {"a", history.EffectMade, ""}}, history.Ledger{Orders: 1, Done: 1, Effects: 1}, nil},
		{"refused", []told{{"a", "", history.SettledFailed}}, history.Ledger{Orders: 1}, nil},
		{"replayed", []told{{"a", history.EffectMade, ""}, {"a", history.EffectReplayed, ""}, {"a", "", history.SettledDone}},
			history.Ledger{Orders: 1, Done: 1, Effects: 1, Replayed: 1}, nil},
		{"twice", []told{{"a", history.EffectMade, ""}, {"a", history.EffectAgain, ""}, {"a", "", history.SettledDone}},
			history.Ledger{Orders: 1, Done: 1, Effects: 2}, []string{history.DoneTwice}},
		{"twice, told at once", []told{{"a", history.EffectMade, ""}, {"a", "", history.SettledDone}, {"a", history.EffectAgain, ""}},
			history.Ledger{Orders: 1, Done: 1, Effects: 2}, []string{history.DoneTwice}},
		{"done and told failed", []told{{"a", "", history.SettledFailed}, {"a", history.EffectMade, ""}},
			history.Ledger{Orders: 1, Effects: 1}, []string{history.Unconfirmed}},
		{"done and told nothing", []told{{"a", history.EffectMade, ""}}, history.Ledger{Effects: 1}, []string{history.Unconfirmed}},
		{"told done and not done", []told{{"a", "", history.SettledDone}}, history.Ledger{Orders: 1, Done: 1}, []string{history.NotDone}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(func(presenter string) bool { return presenter == "own" })
			for i, line := range tt.told {
				at := history.Offset(i+1) * ms
				switch {
				case line.settled != "":
					l.settled(at, line.order, line.settled, like)
				case line.effect == history.EffectAgain:
					l.effect(at, line.order, line.effect, again)
				default:
					l.effect(at, line.order, line.effect, like)
				}
			}
			got, kept := l.conclude()
			if kept != (len(tt.told) > 0) {
				t.Errorf("kept: got %t", kept)
			}
			var what []string
			for _, wrong := range got.Irregular {
				what = append(what, wrong.What)
				if wrong.Count != 1 || wrong.First == 0 || wrong.First != wrong.Last {
					t.Errorf("got %+v, want one with its time", wrong)
				}
			}
			if got.Irregular = nil; got.Orders != tt.want.Orders || got.Done != tt.want.Done || got.Effects != tt.want.Effects || got.Replayed != tt.want.Replayed {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if !slices.Equal(what, tt.what) {
				t.Errorf("irregular: got %v, want %v", what, tt.what)
			}
		})
	}
}

// Of a service whose log says nothing of orders it is not known what it told its
// caller; that something was done twice the authority knows by itself.
func TestLedgerOfThoseWhoDoNotTell(t *testing.T) {
	l := newLedger(func(presenter string) bool { return presenter == "till" })
	like := history.Irregular{Presenter: "till", Validator: "payments", Credential: "k1"}
	l.effect(1, "a", history.EffectMade, like)
	l.effect(2, "b", history.EffectMade, like)
	if got, _ := l.conclude(); got.Untold != 2 || got.Effects != 0 || len(got.Irregular) != 0 {
		t.Errorf("got %+v, want two effects of which nothing was told", got)
	}
	l.effect(3, "b", history.EffectAgain, like)
	if got, _ := l.conclude(); len(got.Irregular) != 1 || got.Irregular[0].What != history.DoneTwice {
		t.Errorf("got %+v, want one that was done twice", got)
	}
}

func TestLogsKeepTheLedger(t *testing.T) {
	l, _ := loggedBy(t, plantest.APIKeyPage, plantest.APIKeyScenario)
	l.Line("payments", line("accepted", `,"identifier":"k1","presenter":"billing","status":"504","attempt":1,"order":"o1","effect":"made","idempotent":true`))
	l.Line("billing", line("presented", `,"identifier":"k1","presenter":"billing","status":"504","attempt":1,"order":"o1"`))
	l.Line("payments", line("accepted", `,"identifier":"k2","presenter":"billing","status":"201","attempt":1,"order":"o1","effect":"again","idempotent":true,"earlier":"k1","was":"504"`))
	l.Line("billing", line("presented", `,"identifier":"k2","presenter":"billing","status":"201","attempt":1,"unasked":true,"order":"o1","settled":"done"`))
	got, kept := l.Ledger()
	if !kept || got.Effects != 2 || got.Done != 1 || len(got.Irregular) != 1 {
		t.Fatalf("got %+v, want one order that was done twice", got)
	}
	wrong := got.Irregular[0]
	if wrong.What != history.DoneTwice || wrong.Presenter != "billing" || wrong.Validator != "payments" || wrong.Was != "504" || !wrong.Idempotent {
		t.Errorf("got %+v, want the two attempts of billing at payments", wrong)
	}
}
