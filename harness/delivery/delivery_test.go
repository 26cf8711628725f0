package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/atomicfile"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// newTestDelivery is a delivery of one published document.
func newTestDelivery(family string) (d *Delivery, document map[string]any, rolled *[]string) {
	document, rolled = map[string]any{"emit": "v1", "keys": []any{"one"}}, &[]string{}
	d = &Delivery{
		hooks: Hooks{
			Published: func(context.Context) (map[string]any, error) { return document, nil },
			Wrote:     func(string, string, string, time.Time) {}, Trouble: func(error) {},
		},
		redeploy: func(_ context.Context, service string, environment map[string]string) error {
			*rolled = append(*rolled, service+" "+environment[contract.SecretVariable])
			return nil
		},
		turn: make(chan struct{}, 1), cancel: func() {},
		wholeSet: !runbook.Traits[family].Authority,
		rolled:   []string{"billing"}, last: map[string]string{}, moved: map[string]bool{},
		disturbed: map[string]world.RolloutTrouble{}, behind: map[string]bool{}, written: map[string]published{},
	}
	return d, document, rolled
}

// TestOnlyWhatIsUsedRestarts: a restart has its price, and one that changes
// nothing for the consumer is not made.
func TestOnlyWhatIsUsedRestarts(t *testing.T) {
	for family, want := range map[string]int{"api-key": 1, "jwt-signing-key": 2} {
		d, document, rolled := newTestDelivery(family)
		specs := []world.Spec{{Name: "billing", Config: &contract.Charger{Published: contract.Published{Variable: contract.SecretVariable}}}, {Name: "payments"}}
		if err := d.Begin(t.Context(), specs); err != nil {
			t.Fatal(err)
		}
		var given map[string]any
		if err := json.Unmarshal([]byte(specs[0].Environment[contract.SecretVariable]), &given); err != nil || given["emit"] != "v1" {
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
		if !d.Restarted("billing") || d.Restarted("payments") {
			t.Errorf("%s: restarted: got %v", family, d.moved)
		}
		if err := d.End(t.Context()); err != nil {
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
		d.hooks.Published = func(context.Context) (map[string]any, error) { return nil, boom }
		if err := d.deliver(t.Context()); !errors.Is(err, boom) {
			t.Errorf("got %v, want boom", err)
		}
	})
	t.Run("the file", func(t *testing.T) {
		d, document, _ := newTestDelivery("api-key")
		d.rolled = nil
		troubles := make(chan error, 1)
		d.hooks.Trouble = func(err error) { troubles <- err }
		folder := t.TempDir()
		d.files = []*fileDelivery{{service: "billing", folder: folder, write: writesTo(folder), queue: make(chan fileUpdate, parcels)}}
		if err := d.Begin(t.Context(), nil); err != nil {
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
			if !strings.Contains(err.Error(), "the files of billing") {
				t.Errorf("got %v, want whose file", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("waited 10s for word of the file")
		}
		if err := d.End(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// writesTo writes files into a folder, whoever they are for.
func writesTo(folder string) func(context.Context, string, map[string][]byte) error {
	return func(_ context.Context, _ string, contents map[string][]byte) error {
		return atomicfile.WriteAll(folder, contents)
	}
}
