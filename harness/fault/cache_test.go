package fault

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// withKeySet is a plan with faults among search, which reads the key set of
// auth, and a service of a team's own.
func withKeySet(faults ...scenario.Fault) *plan.Plan {
	p := planOf(faults...)
	p.Services = []plan.Service{
		{Name: "search", Service: scenario.Service{Serve: "verifier"}},
		{Name: "auth", Service: scenario.Service{Serve: "issuer"}},
		{Name: "reports"},
	}
	return p
}

func TestCacheRefuses(t *testing.T) {
	toAuth := scenario.Fault{Kind: "cache", From: "search", To: "auth"}
	tests := []struct {
		name   string
		faults []scenario.Fault
		attach bool
		want   string
		cannot bool
	}{
		{"no edge", []scenario.Fault{{Kind: "cache", On: "auth"}}, false, "from: NAME, to: NAME", false},
		{"what is no issuer", []scenario.Fault{{Kind: "cache", From: "search", To: "reports"}}, false, "reports is no issuer that rehearse serves", true},
		{"the store", []scenario.Fault{{Kind: "cache", From: "auth", To: "store"}}, false, "store is no issuer", true},
		{"a reader that is none", []scenario.Fault{{Kind: "cache", From: "load", To: "auth"}}, false, "load is no reader of a key set", true},
		{"an issuer and itself", []scenario.Fault{{Kind: "cache", From: "auth", To: "auth"}}, false, "auth is no reader of a key set", true},
		{"a reader of which nobody tells", []scenario.Fault{{Kind: "cache", From: "reports", To: "auth"}}, false, "reports is no reader of a key set that rehearse serves", true},
		{
			"a time that nobody would see", []scenario.Fault{{Kind: "cache", From: "search", To: "auth", TTL: runbook.Duration(time.Second)}}, false,
			"ttl: 1s is 100ms of wall time, in which the harness cannot see it: at least 2.5s", false,
		},
		{"an edge with a proxy", []scenario.Fault{{Kind: "cut", From: "search", To: "auth"}, toAuth}, false, "another fault puts a proxy on search → auth", true},
		{"a proxy on an edge with a cache", []scenario.Fault{toAuth, {Kind: "slow", From: "search", To: "auth"}}, false, "another fault puts a cache on search → auth", true},
		{"what runs already", []scenario.Fault{toAuth}, true, "puts no cache between them", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := withKeySet(tt.faults...)
			if tt.attach {
				p.Rehearsal.Attach = &scenario.Attach{}
			}
			_, err := Prepare(p)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if got := errors.Is(err, ErrCannot); got != tt.cannot {
				t.Errorf("errors.Is(%v, ErrCannot): got %t, want %t", err, got, tt.cannot)
			}
		})
	}
}

func TestCacheOnItsEdge(t *testing.T) {
	toAuth := scenario.Fault{Kind: "cache", From: "search", To: "auth", TTL: runbook.Duration(time.Minute)}
	g, err := Prepare(withKeySet(toAuth, toAuth))
	if err != nil {
		t.Fatal(err)
	}
	specs, err := g.Proxies(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) != 1 || specs[0].Name != "cache-search-auth" || specs[0].Serve != "cache" || specs[0].Config.(*contract.Cache).Of != "{{ .auth.url }}" {
		t.Fatalf("got %+v, want one cache of auth for both faults", specs)
	}
	if token := specs[0].Config.(*contract.Cache).Disturb; !slices.Contains(g.Secrets(), token) {
		t.Error("the cache's token is not among the secrets of the run, or it has none")
	}
	s, err := New(g, Place{Runtime: newMachine(), History: &diary{}})
	if err != nil {
		t.Fatal(err)
	}
	var edges []string
	for _, i := range s.Injectable() {
		if strings.Contains(i.Target, "→") {
			edges = append(edges, i.Kind+" "+i.Target)
		}
	}
	if !slices.Equal(edges, []string{"cache search → auth"}) {
		t.Errorf("by hand at edges: got %q, want the cache, and nothing that needs a proxy", edges)
	}
}

func TestCacheEvidence(t *testing.T) {
	off, on := Reading{asked: 3, cached: 0, served: 3}, Reading{asked: 3, cached: 1, served: 1}
	tests := []struct {
		name          string
		before, after Reading
		took, back    bool
	}{
		{"it answers in the issuer's place", off, on, true, false},
		{"nothing changed", off, off, false, true},
		{"an Age, and the issuer is asked all the same", off, Reading{asked: 3, cached: 1, served: 3}, false, false},
		{"there was a cache before", on, on, false, false},
		{"nobody looked before", Reading{}, on, false, false},
		{"nobody answered during it", off, Reading{}, false, false},
		{"others asked the issuer, too", Reading{asked: 3, cached: 0, served: 5}, on, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (cacheGauge{}).Took(tt.before, tt.after); got != tt.took {
				t.Errorf("took: got %t, want %t", got, tt.took)
			}
			if got := (cacheGauge{}).Back(tt.before, tt.after); got != tt.back {
				t.Errorf("back: got %t, want %t", got, tt.back)
			}
		})
	}
}
