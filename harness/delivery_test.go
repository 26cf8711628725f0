package harness

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
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
		{"file that arrives late", "{serve: charger, distribution: file, delay: 1h}", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := inProcesses(t)
			scenario := strings.Replace(apiKeyScenario, "billing: {serve: charger}", "billing: "+test.service, 1)
			outcome, err := Run(t.Context(), planned(t, apiKeyPage, scenario), o)
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
				if r := ruleOf(t, outcome.Verdict, id); r.Outcome != judge.Pass {
					t.Errorf("got %s %s: %s; want pass", id, r.Outcome, r.Detail)
				}
			}
			if left, err := filepath.Glob(filepath.Join(os.TempDir(), "rehearse-"+outcome.Run+"-*")); err != nil || len(left) != 0 {
				t.Errorf("got %v, %v; want no folder of the run left", left, err)
			}
		})
	}
}

// newTestDelivery is a delivery of one published document.
func newTestDelivery(family string) (d *delivery, document map[string]any, rolled *[]string) {
	document, rolled = map[string]any{"emit": "v1", "keys": []any{"one"}}, &[]string{}
	d = &delivery{
		published: func(context.Context) (map[string]any, error) { return document, nil },
		redeploy: func(_ context.Context, service string, environment map[string]string) error {
			*rolled = append(*rolled, service+" "+environment[secretVariable])
			return nil
		},
		wrote: func(string, string, string) {}, trouble: func(error) {}, cancel: func() {},
		wholeSet: !runbook.Families[family].Authority,
		rolled:   []string{"billing"}, last: map[string]string{}, moved: map[string]bool{},
	}
	return d, document, rolled
}

// TestOnlyWhatIsUsedRestarts: a restart has its price, and one that changes
// nothing for the consumer is not made.
func TestOnlyWhatIsUsedRestarts(t *testing.T) {
	for family, want := range map[string]int{"api-key": 1, "jwt-signing-key": 2} {
		d, document, rolled := newTestDelivery(family)
		specs := []world.Spec{{Name: "billing", Config: map[string]any{"variable": secretVariable}}, {Name: "payments"}}
		if err := d.begin(t.Context(), specs); err != nil {
			t.Fatal(err)
		}
		var given map[string]any
		if err := json.Unmarshal([]byte(specs[0].Environment[secretVariable]), &given); err != nil || given["emit"] != "v1" {
			t.Errorf("%s: started with %v, %v; want what is published", family, given, err)
		}
		if specs[1].Environment != nil {
			t.Errorf("%s: got %v in the environment of another service", family, specs[1].Environment)
		}
		for _, change := range []func(){
			func() {}, // nothing
			func() { document["keys"] = []any{"one", "two"} }, // accept
			func() { document["emit"] = "v2" },                // emit
		} {
			change()
			if err := d.deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(*rolled) != want {
			t.Errorf("%s: got %q, want %d restarts", family, *rolled, want)
		}
		if !d.restarted("billing") || d.restarted("payments") {
			t.Errorf("%s: restarted: got %v", family, d.moved)
		}
		if err := d.end(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestDeliveryThatFails(t *testing.T) {
	boom := errors.New("boom")
	t.Run("the restart", func(t *testing.T) {
		d, _, _ := newTestDelivery("api-key")
		d.redeploy = func(context.Context, string, map[string]string) error { return boom }
		err := d.deliver(t.Context())
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), "environment of billing") {
			t.Errorf("got %v, want boom and whose environment", err)
		}
	})
	t.Run("the reading", func(t *testing.T) {
		d, _, _ := newTestDelivery("api-key")
		d.published = func(context.Context) (map[string]any, error) { return nil, boom }
		if err := d.deliver(t.Context()); !errors.Is(err, boom) {
			t.Errorf("got %v, want boom", err)
		}
	})
	t.Run("the file", func(t *testing.T) {
		d, document, _ := newTestDelivery("api-key")
		d.rolled = nil
		troubles := make(chan error, 1)
		d.trouble = func(err error) { troubles <- err }
		folder := t.TempDir()
		d.files = []*fileDelivery{{service: "billing", folder: folder, queue: make(chan parcel, parcels)}}
		if err := d.begin(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(folder, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		document["emit"] = "v2"
		if err := d.deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-troubles:
			if !strings.Contains(err.Error(), "the file of billing") {
				t.Errorf("got %v, want whose file", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("waited 10s for word of the file")
		}
		if err := d.end(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
