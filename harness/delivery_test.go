package harness

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// deliveries are those that a history tells of: "billing env k2".
func deliveries(h *history.History) []string {
	var told []string
	for _, e := range h.Events {
		if e.Kind == history.KindDelivered {
			told = append(told, strings.Join([]string{e.Service, e.What, e.Credential}, " "))
		}
	}
	return told
}

// TestRunDelivers rotates with consumers that do not read the store.
func TestRunDelivers(t *testing.T) {
	tests := []struct {
		name, service string
		want          []string // told of
		switched      bool
	}{
		{"env", "{serve: charger, distribution: env}", []string{"billing env k2"}, true},
		{"env that nobody starts anew", "{serve: charger, distribution: env, pinned: true}", nil, false},
		{"file", "{serve: charger, distribution: file}", []string{"billing file k1", "billing file k2", "billing file k2"}, true},
		{"file that arrives late", "{serve: charger, distribution: file, delay: 20h}", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := inProcesses(t)
			scenario := strings.Replace(plantest.APIKeyScenario, "billing: {serve: charger}", "billing: "+test.service, 1)
			outcome, err := Run(t.Context(), plantest.Plan(t, plantest.APIKeyPage, scenario), o)
			if err != nil {
				t.Fatal(err)
			}
			nothingLeft(t, o)
			if got := deliveries(outcome.History); !slices.Equal(got, test.want) {
				t.Errorf("got delivered %q, want %q", got, test.want)
			}
			view := history.ViewOf(outcome.History)
			if _, switched := view.Switched["billing"]["k2"]; switched != test.switched {
				t.Errorf("billing switched: got %t, want %t", switched, test.switched)
			}
			if len(view.Readers) != 0 {
				t.Errorf("got readers %v of the store, want none", view.Readers)
			}
			for _, id := range []string{"accounting", "leaks"} {
				passed(t, outcome.Verdict, id)
			}
			if left, err := filepath.Glob(filepath.Join(os.TempDir(), "rehearse-"+outcome.Run+"-*")); err != nil || len(left) != 0 {
				t.Errorf("got %v, %v; want no folder of the run left", left, err)
			}
		})
	}
}
