package keyset

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func TestGivenOne(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	given := []history.Event{
		{At: at(1), Kind: history.KindDelivered, Service: "sessions", Credential: "k1"},
		{At: at(10), Kind: history.KindDelivered, Service: "sessions", Credential: "k2"},
	}
	for _, tt := range []struct {
		name, credential string
		one              bool
		events           []history.Event
		first            float64
		matches          bool
	}{
		{"the old one since it was given the new one", "k1", true, given, 11, true},
		{"the old one while it is started anew with the new one", "k1", true, given, 9.99, true},
		{"the old one before that", "k1", true, given, 8, false},
		{"the new one before it was given that", "k2", true, given, 9, true},
		{"the new one before it has read it", "k2", true, given, 12, true},
		{"the new one long after it was given that", "k2", true, given, 20, false},
		{"the new one, which it never was", "k2", true, given[:1], 20, true},
		{"the old one, and it never was given another", "k1", true, given[:1], 11, false},
		{"it is given all", "k1", false, given, 11, false},
		{"a made-up one", "other", true, given, 11, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &evidence.Evidence{Limits: plan.Limits{Speed: 1}, Old: "k1", Fresh: "k2", Events: tt.events, View: history.NewView()}
			v := plan.Validator{Name: "sessions", OnPage: true, GivenOne: tt.one, Learns: 3 * time.Second}
			told, matches := GivenOne(&cell.Cell{Evidence: e, Validator: v, Credential: tt.credential, First: at(tt.first)})
			if matches != tt.matches || matches && told.Cause != judge.CauseOneSlot {
				t.Errorf("got %v, %+v; want %v", matches, told, tt.matches)
			}
		})
	}
}
