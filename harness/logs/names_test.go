package logs

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// named are names of a plan in which auth and edge are reached, and k1 is known.
func named(t *testing.T) *Names {
	t.Helper()
	n := NewNames(plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario))
	n.Locate(func(service string) string { return map[string]string{"auth": "http://auth:8080"}[service] }, nil)
	n.AddCredential("kid-1", "k1")
	return n
}

func TestNamesEvent(t *testing.T) {
	line := func(message string, change func(*history.Line)) history.Line {
		l := history.Line{Message: message}
		change(&l)
		return l
	}
	set := func(l *history.Line) {
		l.Identifier, l.Identifiers, l.Holds = "kid-1", []string{"kid-1", "kid-x"}, []string{"kid-1"}
	}
	tests := []struct {
		name string
		line history.Line
		want history.Event
	}{
		{
			"settings of a client", line("service", func(l *history.Line) { l.Presenter, l.Detail = "web", "100/s" }),
			history.Event{Kind: history.KindService, Detail: "web: 100/s"},
		},
		{
			"fetched from a service", line("fetched", func(l *history.Line) { set(l); l.From = "auth:8080" }),
			history.Event{Kind: history.KindFetched, From: "auth", Credentials: []string{"k1", "kid-x"}, Holds: []string{"k1"}},
		},
		{
			"fetched through a cache", line("fetched", func(l *history.Line) { l.From = "edge" }),
			history.Event{Kind: history.KindFetched, From: "edge", Credentials: []string{}, Holds: []string{}},
		},
		{
			"fetch failed", line("fetch-failed", func(l *history.Line) { l.From, l.Detail = "auth:8080", "refused" }),
			history.Event{Kind: history.KindFetchFailed, From: "auth", Detail: "refused"},
		},
		{"learned", line("learned", set), history.Event{Kind: history.KindLearned, Credential: "k1", Identifier: "kid-1"}},
		{
			"forgot what the run did not make", line("forgot", func(l *history.Line) { l.Identifier = "kid-x" }),
			history.Event{Kind: history.KindForgot, Credential: "kid-x", Identifier: "kid-x"},
		},
		{
			"loaded", line("loaded", set),
			history.Event{Kind: history.KindLoaded, Credential: "k1", Identifier: "kid-1", Credentials: []string{"k1", "kid-x"}},
		},
		{
			"locked by a consumer", line("locked", func(l *history.Line) { l.Identifier, l.Presenter, l.Count, l.Detail = "kid-1", "nightly", 30, "in 2s" }),
			history.Event{Kind: history.KindLocked, Credential: "k1", Identifier: "kid-1", Reader: "nightly", Count: 30, Detail: "in 2s"},
		},
		{
			"locked by the harness", line("locked", func(l *history.Line) { l.Identifier, l.Presenter, l.Count = "kid-1", family.ProbeAgent, 3 }),
			history.Event{Kind: history.KindLocked, Credential: "k1", Identifier: "kid-1", Count: 3},
		},
		{"unlocked", line("unlocked", func(*history.Line) {}), history.Event{Kind: history.KindUnlocked}},
		{"published", line("published", set), history.Event{Kind: history.KindPublished, Credentials: []string{"k1", "kid-x"}}},
		{
			"read by a verifier", line("read", func(l *history.Line) { l.Reader, l.What = "rehearse-verifier/search", "jwks" }),
			history.Event{Kind: history.KindRead, Reader: "search", What: "jwks"},
		},
		{
			"read by somebody else", line("read", func(l *history.Line) { l.Reader, l.What = "curl/7.88", "jwks" }),
			history.Event{Kind: history.KindRead, Reader: "curl/7.88", What: "jwks"},
		},
		{"read by the harness", line("read", func(l *history.Line) { l.Reader = "rehearse-probe" }), history.Event{}},
		{"a message that is no event", line("minted", set), history.Event{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want.Kind != "" {
				want.At, want.Service = 7, "checkout"
			}
			got, ok := named(t).event("checkout", test.line, 7)
			if ok != (want.Kind != "") || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v; want %+v", got, ok, want)
			}
		})
	}
}

// What is on an edge is taken for the service behind it as long as it says
// nothing of itself; a cache that answers in its own name is told from that.
func TestNamesOnAnEdge(t *testing.T) {
	n := NewNames(plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario))
	n.Through([]fault.Edge{{From: "search", To: "auth", Via: "cache-search-auth"}})
	n.Locate(func(service string) string {
		return map[string]string{"auth": "http://10.0.0.1:1", "cache-search-auth": "http://10.0.0.2:2"}[service]
	}, nil)
	for from, want := range map[string]string{"10.0.0.1:1": "auth", "10.0.0.2:2": "auth", "cache-search-auth": "cache-search-auth"} {
		e, there := n.event("search", history.Line{Message: string(history.KindFetched), From: from}, 0)
		if !there || e.From != want {
			t.Errorf("a set fetched from %s: got %q, want %s", from, e.From, want)
		}
	}
}

func TestNamesOfATeamsOwn(t *testing.T) {
	n := NewNames(plantest.Plan(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		`checkout: {command: [./checkout, "{{ .auth.url }}"], healthcheck: /healthz, scale: full, agent: Python-urllib}`, 1)))
	n.Locate(func(string) string { return "" }, func(ip string) string { return map[string]string{"172.18.0.5": "checkout"}[ip] })
	n.AddCredential("kid-1", "k1")
	n.AddCredential("kid-2", "k2")
	for _, tt := range []struct{ agent, ip, want string }{
		{"Python-urllib/3.11", "", "checkout"},
		{"jose/v4", "172.18.0.5", "checkout"},
		{"jose/v4", "172.18.0.6", "jose/v4"},
		{"rehearse-verifier/search", "172.18.0.5", "search"},
	} {
		if got, _ := n.reader(tt.agent, tt.ip); got != tt.want {
			t.Errorf("%s at %s: got %s, want %s", tt.agent, tt.ip, got, tt.want)
		}
	}
	read := history.Event{Kind: history.KindRead, Reader: "checkout", What: "jwks"}
	n.fetched(read, "auth", []string{"kid-1"})
	var got []string
	for _, e := range n.fetched(read, "auth", []string{"kid-2"}) {
		got = append(got, string(e.Kind)+" "+e.Credential)
	}
	if want := []string{"fetched ", "learned k2", "forgot k1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := n.fetched(history.Event{Reader: "edge"}, "auth", []string{"kid-1"}); got != nil {
		t.Errorf("got %v for a stand-in, whose own log tells", got)
	}
}
