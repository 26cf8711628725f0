package logs

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/observe"
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
		e, ok := n.event("search", history.Line{Message: string(history.KindFetched), From: from}, 0)
		if !ok || e.From != want {
			t.Errorf("a set fetched from %s: got %q, want %s", from, e.From, want)
		}
	}
}

// TestNamesOfOneMachine: where all have one address, what says nothing of itself is not named after it, and the
// harness's own looks stay its own.
func TestNamesOfOneMachine(t *testing.T) {
	n := NewNames(plantest.Plan(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		`checkout: {command: [./checkout, "{{ .auth.url }}"], healthcheck: /healthz, scale: full}`, 1)))
	n.Locate(func(string) string { return "" }, nil)
	for _, tt := range []struct {
		reader, remote, want string // "": nobody's
	}{
		{"Python-urllib/3.11", contract.Caller("checkout"), "checkout"},
		{"Python-urllib/3.11", "127.0.0.1", "checkout"}, // nobody else could
		{observe.Agent, "127.0.0.1", ""},
		{"rehearse-cache/edge", "127.0.0.1", "edge"},
		{"rehearse-cache/edge", contract.Caller("edge"), "edge"},
	} {
		e, ok := n.event("auth", history.Line{Message: string(history.KindRead), Reader: tt.reader, Remote: tt.remote, What: "jwks"}, 0)
		if ok != (tt.want != "") || e.Reader != tt.want {
			t.Errorf("%s from %s: got %q, %t, want %q", tt.reader, tt.remote, e.Reader, ok, tt.want)
		}
	}
}

func TestNamesOfATeamsOwn(t *testing.T) {
	n := NewNames(plantest.Plan(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		`checkout: {command: [./checkout, "{{ .auth.url }}"], healthcheck: /healthz, scale: full, agent: Python-urllib}`, 1)))
	n.Locate(func(string) string { return "" }, func(ip string) string { return map[string]string{"172.18.0.5": "checkout"}[ip] })
	n.Through([]fault.Edge{{From: "checkout", To: "auth", Via: "proxy-checkout-auth"}})
	n.AddCredential("kid-1", "k1")
	n.AddCredential("kid-2", "k2")
	for _, tt := range []struct{ agent, ip, want string }{
		{"Python-urllib/3.11", "", "checkout"},
		{"jose/v4", "172.18.0.5", "checkout"},
		{"jose/v4", "172.18.0.6", "jose/v4"},
		{"rehearse-verifier/search", "172.18.0.5", "search"},
		{"jose/v4", "@checkout", "checkout"}, // by its process
		{"jose/v4", "@edge", "jose/v4"},      // which is no service of theirs
		{"jose/v4", "@proxy-checkout-auth", "checkout"},
	} {
		if got, _ := n.reader(tt.agent, tt.ip); got != tt.want {
			t.Errorf("%s at %s: got %s, want %s", tt.agent, tt.ip, got, tt.want)
		}
	}
	read := history.Event{Kind: history.KindRead, Reader: "checkout", What: "jwks"}
	n.fetched(read, "auth", history.Line{Identifiers: []string{"kid-1"}})
	var got []string
	for _, e := range n.fetched(read, "auth", history.Line{Identifiers: []string{"kid-2"}}) {
		got = append(got, string(e.Kind)+" "+e.Credential+" "+e.What)
	}
	if want := []string{"fetched  ", "learned k2 of-fetch", "forgot k1 of-fetch"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := n.fetched(history.Event{Reader: "edge"}, "auth", history.Line{Identifiers: []string{"kid-1"}}); got != nil {
		t.Errorf("got %v for a stand-in, whose own log tells", got)
	}
}

// TestNamesOfReplicas: what one of several fetched is known by its address, and the
// service has learned what all have; where nothing tells them apart, nobody knows.
func TestNamesOfReplicas(t *testing.T) {
	p := plantest.Plan(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		`checkout: {command: [./checkout, "{{ .auth.url }}", "{{ .checkout.port }}"], replicas: 2, ports: [8080], scale: full}`, 1))
	var started []string
	for _, s := range p.Instances() {
		if s.Name != strings.TrimSuffix(s.Name, "-1") || strings.HasSuffix(s.Name, "-2") {
			started = append(started, s.Name)
		}
	}
	if want := []string{"checkout-1", "checkout-2"}; !slices.Equal(started, want) {
		t.Errorf("started %q, want %q", started, want)
	}
	at := map[string]string{"10.0.0.5": "checkout-1", "10.0.0.6": "checkout-2"}
	for _, tt := range []struct {
		name    string
		located bool
		fetches []string // ADDRESS KID,…
		want    []string
	}{
		{"by address", true, []string{"10.0.0.5 kid-1", "10.0.0.6 kid-1", "10.0.0.6 kid-1,kid-2", "10.0.0.6 kid-2", "10.0.0.5 kid-1,kid-2", "10.0.0.5 kid-2"},
			[]string{"learned k1", "learned k2", "forgot k1"}},
		{"one fetches for both", true, []string{"10.0.0.5 kid-1", "10.0.0.6 kid-1", "10.0.0.5 kid-1,kid-2", "10.0.0.5 kid-1,kid-2"}, []string{"learned k1"}},
		{"not told apart", false, []string{"127.0.0.1 kid-1", "127.0.0.1 kid-1,kid-2", "127.0.0.1 kid-2"}, nil},
	} {
		n := NewNames(p)
		n.AddCredential("kid-1", "k1")
		n.AddCredential("kid-2", "k2")
		if tt.located {
			n.Locate(func(string) string { return "" }, func(ip string) string { return at[ip] })
		}
		var got []string
		for _, fetch := range tt.fetches {
			ip, kids, _ := strings.Cut(fetch, " ")
			l := history.Line{Message: string(history.KindRead), Reader: "checkout/1", Remote: ip, Identifiers: strings.Split(kids, ","), What: "jwks"}
			read, ok := n.event("auth", l, 0)
			if !ok || read.Reader != "checkout" {
				t.Fatalf("%s: %s was read by %q", tt.name, fetch, read.Reader)
			}
			for _, e := range n.fetched(read, "auth", l) {
				if e.Kind != history.KindFetched {
					got = append(got, string(e.Kind)+" "+e.Credential)
				} else if e.Service != "checkout" || e.Replica != n.Replica(at[ip]) && tt.located {
					t.Errorf("%s: %s is a fetch of %s, %q", tt.name, fetch, e.Service, e.Replica)
				}
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if n.Whole("checkout-2") != "checkout" || n.Whole("auth") != "auth" || n.Replica("auth") != "" {
			t.Error("a replica is not known by its service")
		}
	}
}

// TestNamesOfProcesses: on one machine, whoever reads a key set under an agent that
// says nothing is the one that is set up to, and of two nobody.
func TestNamesOfProcesses(t *testing.T) {
	const one = `checkout: {command: [./checkout, "{{ .auth.url }}"], scale: full}`
	for _, tt := range []struct{ name, services, agent, want string }{
		{"as most say who they are", one, "checkout/3.2", "checkout"},
		{"the one that could", one, "Python-urllib/3.11", "checkout"},
		{"one of two", one + "\n  " + `reports: {command: [./reports, "{{ .auth.url }}"], scale: full}`, "Python-urllib/3.11", ""},
		{"one of two by its agent", one + "\n  " + `reports: {command: [./reports, "{{ .auth.url }}"], scale: full, agent: axios}`, "axios/1", "reports"},
		{"the other by that", one + "\n  " + `reports: {command: [./reports, "{{ .auth.url }}"], scale: full, agent: axios}`, "Python-urllib/3.11", "checkout"},
		{"nobody that could", `checkout: {command: [./checkout], scale: full}`, "curl/8", "curl/8"},
	} {
		n := NewNames(plantest.Plan(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}", tt.services, 1)))
		n.Locate(func(string) string { return "" }, nil)
		e, ok := n.event("auth", history.Line{Message: string(history.KindRead), Reader: tt.agent, What: "jwks"}, 0)
		if e.Reader != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %t; want %q", tt.name, e.Reader, ok, tt.want)
		}
	}
}

// TestNamesPresenter: who presented something is known by its name, its agent or
// its address, and else because no other service could have.
func TestNamesPresenter(t *testing.T) {
	const pooler = `  pooler: {command: [pooler], environment: {DB_HOST: "{{ .db.host }}"}, agent: pooler, scale: full}
  orders: {command: [app], environment: {DB_HOST: "{{ .pooler.host }}"}, scale: full}
`
	page := strings.Replace(plantest.DatabasePage, "{name: orders, roles: [emit], refresh: 30s}", "{name: pooler, roles: [emit], refresh: 30s}", 1)
	own := regexp.MustCompile(`(?m)^  orders: .*\n`)
	for _, tt := range []struct {
		name, page, scenario, presenter, remote, want string
	}{
		{"by its own name", plantest.DatabasePage, plantest.DatabaseScenario, "orders", "", "orders"},
		{"by nothing, and no other could", plantest.DatabasePage, plantest.DatabaseScenario, "", "", "orders"},
		{"by its library's name", plantest.DatabasePage, plantest.DatabaseScenario, "PostgreSQL JDBC Driver", "", "orders"},
		{"a probe", plantest.DatabasePage, plantest.DatabaseScenario, family.ProbeAgent, "", family.ProbeAgent},
		{"one behind a pooler", page, own.ReplaceAllString(plantest.DatabaseScenario, pooler), "orders", "", "pooler"},
		{"by its agent", plantest.DatabasePage, strings.Replace(plantest.DatabaseScenario, "agent: orders", "agent: psycopg", 1) + "", "psycopg/3", "", "orders"},
		{"one of two", plantest.DatabasePage, strings.Replace(plantest.DatabaseScenario, "load:", "  batch: {command: [b], environment: {H: \"{{ .db.host }}\"}, scale: full}\nload:", 1), "psql", "", "psql"},
		{"by its address", plantest.DatabasePage, strings.Replace(plantest.DatabaseScenario, "load:", "  batch: {command: [b], environment: {H: \"{{ .db.host }}\"}, scale: full}\nload:", 1), "psql", "10.0.0.7", "batch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := NewNames(plantest.Plan(t, tt.page, tt.scenario))
			n.Locate(func(string) string { return "" }, func(ip string) string { return map[string]string{"10.0.0.7": "batch"}[ip] })
			if got := n.presenter(history.Line{Presenter: tt.presenter, Remote: tt.remote}, "db"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestNamesCredential: the login says whose a credential is, whatever the
// presenter calls it.
func TestNamesCredential(t *testing.T) {
	n := named(t)
	n.AddCredential("orders_db_k2", "k2")
	for _, tt := range []struct {
		line history.Line
		want string
	}{
		{history.Line{Identifier: "kid-1"}, "k1"},
		{history.Line{Identifier: "env", User: "orders_db_k2"}, "k2"},
		{history.Line{Identifier: "kid-1", User: "orders_db_login"}, "k1"},
	} {
		if got := n.credential(tt.line); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestNamesOfPresentersBehindAnother: what a gateway hands on is of the one behind it,
// what a pooler presents is its own, and nobody else could have presented the rest.
func TestNamesOfPresentersBehindAnother(t *testing.T) {
	t.Parallel()
	way := map[string]string{"shop": "gate", "gate": "payments", "billing": "pooler", "pooler": "db"}
	n := &Names{
		services: []string{"shop", "gate", "payments", "billing", "pooler", "db", "till"},
		at:       func(string) string { return "" },
		reaches:  func(from, to string) bool { return to != "" && way[from] == to },
		sole:     func(of string) string { return map[string]string{"payments": "gate", "db": "pooler"}[of] },
		emits:    func(name string) bool { return name == "shop" || name == "pooler" || name == "till" },
	}
	for _, tt := range []struct{ presenter, validator, want string }{
		{"gate", "payments", "gate"},
		{"shop", "payments", "shop"},
		{"billing", "db", "pooler"},
		{"python-requests/2.31", "payments", "gate"},
		{"billing", "payments", "gate"},
		{"till", "payments", "till"}, // it emits, and nobody knows whom it reaches
		{"till", "db", "pooler"},
	} {
		if got := n.presenter(history.Line{Presenter: tt.presenter}, tt.validator); got != tt.want {
			t.Errorf("%s at %s: got %s, want %s", tt.presenter, tt.validator, got, tt.want)
		}
	}
}
