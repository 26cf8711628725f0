package plan_test

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestNamedOtherwise: who never used either of two credentials by the name that it was given
// has names of its own for them; who left one of them for a third is in another rotation.
func TestNamedOtherwise(t *testing.T) {
	limits := plan.Limits{JudgedAt: history.FromLoad, Clients: []plan.Client{{Name: "web", To: "api", From: "auth"}, {Name: "app", To: "api", From: "twin"}}, Emitters: []plan.Emitter{{Name: "auth", OnPage: true}, {Name: "twin"}}}
	for _, tt := range []struct {
		name             string
		emits            []string
		otherwise, third bool
	}{
		{"nothing was seen", nil, false, false},
		{"the old one", []string{"k1"}, false, false},
		{"a name of its own", []string{"main"}, true, false},
		{"two names of its own", []string{"mine-1", "mine-2"}, true, false},
		{"the old one, and a third", []string{"k1", "y3"}, false, true},
		{"a third, and the new one", []string{"y3", "k2"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			view := history.NewView()
			for i, credential := range tt.emits {
				for _, service := range []string{"auth", "twin"} {
					view.Apply(history.Event{At: history.Offset(i), Kind: history.KindEmitting, Service: service, Credential: credential})
				}
			}
			if limits.NamedOtherwise(view, "auth", "k1", "k2") {
				t.Error("it is named otherwise before anybody presented that, want it left alone")
			}
			for _, client := range limits.Clients {
				if n := len(tt.emits); n > 0 {
					view.Apply(history.Event{At: 9, Kind: history.KindCounts, Counts: &history.Counts{Source: history.FromLoad, Presenter: client.Name, Validator: "api", Credential: tt.emits[n-1], Width: 1, Attempts: 1, OK: 1}})
				}
			}
			if got := limits.NamedOtherwise(view, "auth", "k1", "k2"); got != tt.otherwise {
				t.Errorf("named otherwise: got %t, want %t", got, tt.otherwise)
			}
			if limits.NamedOtherwise(view, "twin", "k1", "k2") {
				t.Error("one off the page is named otherwise, want it left alone")
			}
			if got := slices.Contains(limits.OnAnother(view, "k1", "k2"), "auth"); got != tt.third {
				t.Errorf("in another rotation: got %t, want %t", got, tt.third)
			}
		})
	}
}
