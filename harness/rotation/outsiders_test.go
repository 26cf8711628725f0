package rotation

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestOutsiders are found by what a store or an issuer tells of their reads, by what they emit,
// and, where neither tells, by their own log.
func TestOutsiders(t *testing.T) {
	fetched := func(service string) history.Event {
		return history.Event{At: 1, Kind: history.KindFetched, Service: service, From: "store", Credentials: []string{"k1"}}
	}
	for _, tt := range []struct {
		name   string
		events []history.Event
		want   string
	}{
		{"one that the store tells of", []history.Event{{At: 1, Kind: history.KindRead, Service: "store", Reader: "audit", What: "secret/data/key"}}, "audit is not on the page and reads secret/data/key"},
		{"one that its own log tells of", []history.Event{fetched("audit")}, "audit is not on the page and fetches what is published"},
		{"one that emits", []history.Event{{At: 1, Kind: history.KindEmitting, Service: "legacy", Credential: "k1"}}, "legacy is not on the page and emits k1"},
		{"a consumer of the page", []history.Event{fetched("orders")}, ""},
		{"a cache", []history.Event{fetched("cdn")}, ""},
	} {
		l := Look{
			View: history.ViewOf(&history.History{Events: tt.events}), OnPage: []string{"orders"},
			Limits: plan.Limits{Caches: []plan.Cache{{Name: "cdn"}}, Validators: []plan.Validator{{Name: "orders", OnPage: true}, {Name: "audit"}}},
		}
		var got []string
		for _, r := range l.outsiders() {
			got = append(got, r.why)
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, text, tt.want)
		}
	}
}
