package delivery

import (
	"context"
	"encoding/json"
	"testing"
	"time"
)

// TestWriteBack: files are what they were at the start, whatever is published meanwhile,
// until their source is changed; then they are what is published.
func TestWriteBack(t *testing.T) {
	d, document, _ := newTestDelivery("api-key")
	d.rolled = nil
	written := make(chan string, parcels)
	d.files = []*fileDelivery{{service: "billing", queue: make(chan fileUpdate, parcels), write: func(_ context.Context, _ string, contents map[string][]byte) error {
		var file struct{ Emit string }
		if err := json.Unmarshal(contents[secretFile], &file); err != nil {
			t.Error(err)
		}
		written <- file.Emit
		return nil
	}}}
	if err := d.Begin(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	publish := func(emit string) func() error {
		return func() error {
			document["emit"] = emit
			return d.deliver(t.Context())
		}
	}
	back := func(back bool) func() error {
		return func() error { return d.WriteBack(t.Context(), "billing", back) }
	}
	for i, s := range []struct {
		do   func() error
		want string // that is written; "": nothing is
	}{
		{func() error { return nil }, "v1"}, {publish("v2"), "v2"}, {back(true), "v1"}, {publish("v3"), ""}, {back(true), ""}, {back(false), "v3"}, {publish("v4"), "v4"},
	} {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if s.want == "" {
			continue // what is written next shows that it was not
		}
		select {
		case got := <-written:
			if got != s.want {
				t.Fatalf("%d: got %s written, want %s", i, got, s.want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d: waited 10s for %s", i, s.want)
		}
	}
	if err := d.WriteBack(t.Context(), "payments", true); err == nil {
		t.Error("got no error for a service without files")
	}
	if err := d.End(t.Context()); err != nil {
		t.Error(err)
	}
}
