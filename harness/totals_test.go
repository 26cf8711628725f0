package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// withImage has a service that does not say what it served.
var withImage = strings.Replace(plantest.JWTScenario, "services:\n", "services:\n  reports: {image: acme/reports:1.4, ports: [8080], scale: full}\n", 1) +
	"  - {client: bot, to: reports, rate: 1/s}\n"

// withLegacy has a service that calls the provider and is not on the page.
var withLegacy = strings.Replace(plantest.APIKeyScenario, "services:\n", "services:\n  legacy: {image: acme/legacy:0.9, ports: [8080], scale: full}\n", 1) +
	"  - {client: bot, to: legacy, rate: 1/s}\n"

// What lines tell: a validator took what billing showed; billing got no answer.
const (
	took = `"accepted","presenter":"billing","identifier":"k1","status":"201"`
	lost = `"presented","identifier":"k1","status":"unavailable"`
)

// delivered is what a sender tells of a delivery.
func delivered(to, status, outcome string) string {
	return fmt.Sprintf(`"presented","identifier":"k1","validator":%q,"status":%q,"outcome":%q`, to, status, outcome)
}

// tell has a service log the same line n times; what begins with its message.
func tell(l *logs.Logs, n int, service, what string) {
	for range n {
		l.Line(service, fmt.Appendf(nil, `{"time":%q,"level":"INFO","msg":%s}`, time.Now().Format(time.RFC3339Nano), what))
	}
}

func TestTotals(t *testing.T) {
	jwt := history.Totals{Scheduled: 100, Sent: 98, Recorded: 98, NotSent: 3, Retried: 1, Unanswered: 2}
	tests := []struct {
		name           string
		page, scenario string
		load           history.Totals
		counters       map[string]map[string]int64
		lines          func(*logs.Logs)
		want           history.Totals
	}{
		{
			"validators' own counters", plantest.JWTPage, plantest.JWTScenario, jwt,
			map[string]map[string]int64{"checkout": {"served": 98}, "auth": {"served": 5}}, func(*logs.Logs) {},
			history.Totals{Scheduled: 102, Sent: 100, Recorded: 100, Served: 98, NotSent: 3, Retried: 1, Probes: 2, Unanswered: 3, Complete: true},
		},
		{
			"a validator that died", plantest.JWTPage, plantest.JWTScenario, jwt, nil,
			func(l *logs.Logs) { tell(l, 97, "checkout", took) },
			history.Totals{Scheduled: 102, Sent: 100, Recorded: 100, Served: 97, NotSent: 3, Retried: 1, Probes: 2, Unanswered: 3, Complete: true},
		},
		{
			"an image", plantest.JWTPage, withImage, jwt,
			map[string]map[string]int64{"checkout": {"served": 98}}, func(*logs.Logs) {},
			history.Totals{Scheduled: 102, Sent: 100, Recorded: 100, Served: 98, NotSent: 3, Retried: 1, Probes: 2, Unanswered: 3},
		},
		{
			"an authority", plantest.APIKeyPage, plantest.APIKeyScenario,
			history.Totals{Scheduled: 100, Sent: 100, Recorded: 100, Unanswered: 4},
			map[string]map[string]int64{"billing": {"presented": 97}, "payments": {"served": 98}},
			func(l *logs.Logs) { tell(l, 96, "payments", took); tell(l, 1, "billing", lost) },
			history.Totals{Scheduled: 102, Sent: 99, Recorded: 99, Served: 98, NotSent: 3, Probes: 2, Unanswered: 2, Complete: true},
		},
		{
			// 5 charges were made whose answers did not arrive, and one call did not.
			"answers that were lost", plantest.APIKeyPage, plantest.APIKeyScenario,
			history.Totals{Scheduled: 100, Sent: 100, Recorded: 100},
			map[string]map[string]int64{"billing": {"presented": 100}, "payments": {"served": 100}},
			func(l *logs.Logs) { tell(l, 99, "payments", took); tell(l, 6, "billing", lost) },
			history.Totals{Scheduled: 102, Sent: 102, Recorded: 102, Served: 100, Probes: 2, Unanswered: 7, Twice: 5, Complete: true},
		},
		{
			// 3 requests that a consumer being replaced did not take, and the load
			// sent again on other connections.
			"a consumer that was replaced", plantest.APIKeyPage, plantest.APIKeyScenario,
			history.Totals{Scheduled: 100, Sent: 103, Recorded: 103, Retried: 3, Unanswered: 3},
			map[string]map[string]int64{"billing": {"presented": 100}, "payments": {"served": 102}},
			func(l *logs.Logs) { tell(l, 100, "payments", took) },
			history.Totals{Scheduled: 102, Sent: 102, Recorded: 102, Served: 102, Probes: 2, Unanswered: 1, Complete: true},
		},
		{
			// What legacy presented is known from where it arrived, and no more.
			"a consumer that is not on the page", plantest.APIKeyPage, withLegacy,
			history.Totals{Scheduled: 110, Sent: 110, Recorded: 110},
			map[string]map[string]int64{"billing": {"presented": 100}, "payments": {"served": 111}},
			func(l *logs.Logs) {
				tell(l, 100, "payments", took)
				tell(l, 10, "payments", strings.Replace(took, "billing", "legacy", 1))
			},
			history.Totals{Scheduled: 112, Sent: 112, Recorded: 112, Served: 111, Probes: 2, Unanswered: 1},
		},
		{
			// 100 events, 2 of which the sender did not get; 7 deliveries out of its
			// queue, 4 of them refused before.
			"a consumer with a queue", plantest.APIKeyPage, plantest.APIKeyScenario,
			history.Totals{Scheduled: 100, Sent: 100, Recorded: 100, Unanswered: 2},
			map[string]map[string]int64{"billing": {"presented": 105}, "payments": {"served": 106}},
			func(l *logs.Logs) {
				tell(l, 105, "payments", took)
				tell(l, 4, "billing", `"presented","identifier":"k1","status":"201","attempt":2`)
				tell(l, 3, "billing", `"presented","identifier":"k1","status":"201","attempt":1,"unasked":true`)
			},
			history.Totals{Scheduled: 105, Sent: 107, Recorded: 107, Served: 106, NotSent: 2, Retried: 4, Probes: 2, Unanswered: 1, Complete: true},
		},
		{
			// What the sender tells of orders is all that is known there; ledger tells
			// itself, and one of its answers was lost.
			"a receiver of a team's own", plantest.WebhookPage, plantest.WebhookScenario,
			history.Totals{Scheduled: 100, Sent: 100, Recorded: 100},
			map[string]map[string]int64{"payments": {"presented": 100}, "ledger": {"served": 60}},
			func(l *logs.Logs) {
				tell(l, 39, "payments", delivered("orders", "204", "ok"))
				tell(l, 1, "payments", delivered("orders", "400", "auth_failure"))
				tell(l, 59, "payments", delivered("ledger", "204", "ok"))
				tell(l, 1, "payments", delivered("ledger", "unavailable", "unavailable"))
				tell(l, 60, "ledger", `"accepted","presenter":"payments","identifier":"k1","status":"204"`)
			},
			history.Totals{Scheduled: 102, Sent: 102, Recorded: 102, Served: 60, Probes: 2, Unanswered: 2, Twice: 1},
		},
		{
			// A pool of a team's own counts nothing: what arrived is what it began.
			"a pool of a team's own", plantest.DatabasePage, plantest.DatabaseScenario,
			history.Totals{Scheduled: 100, Sent: 100, Recorded: 100},
			map[string]map[string]int64{"db": {"served": 11}},
			func(l *logs.Logs) {
				tell(l, 10, "db", `"accepted","presenter":"orders","identifier":"k1","status":"00000"`)
			},
			history.Totals{Scheduled: 12, Sent: 12, Recorded: 12, Served: 11, Probes: 2, Unanswered: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := plantest.Plan(t, test.page, test.scenario)
			recorder := history.NewRecorder(time.Now(), nil)
			r := &run{plan: p, evidence: recording{recorder: recorder, names: logs.NewNames(p), probes: &probes{}}}
			r.logs = logs.New(t.TempDir(), p, r.evidence.names, recorder)
			test.lines(r.logs)
			for _, probe := range []history.Probe{
				{Outcome: history.OK, Status: "200"}, {Outcome: history.Unavailable, Status: "refused"}, {Outcome: history.HarnessError},
			} {
				r.evidence.Record(history.Event{Kind: history.KindProbe, Service: "checkout", Credential: "k1", Probe: &probe})
			}
			if got := r.totals(test.load, test.counters); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// TestCountersFollowNoRedirect: whoever answers elsewhere has counted something else.
func TestCountersFollowNoRedirect(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/rehearse/", http.RedirectHandler("/elsewhere", http.StatusFound))
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(`{"served": 1}`))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	if counted, err := counters(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("counters: got %v, %v; want that it answered 302", counted, err)
	}
	if err := quiesce(t.Context(), server.URL, ""); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("quiesce: got %v, want that it answered 302", err)
	}
}

// TestCountersAskAgain: who gets a greeting of another protocol asks again.
func TestCountersAskAgain(t *testing.T) {
	var late atomic.Int64
	late.Store(askTimes - 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if late.Add(-1) < 0 {
			_, _ = w.Write([]byte(`{"served": 1}`))
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte("\x4a\x00\x00\x00\x0a5.5.5-10.11.19-MariaDB"))
		conn.Close()
	}))
	defer server.Close()
	if counted, err := counters(t.Context(), server.URL); err != nil || counted["served"] != 1 {
		t.Errorf("answered well at the last time: got %v, %v, want 1 served", counted, err)
	}
	late.Store(askTimes)
	if counted, err := counters(t.Context(), server.URL); err == nil {
		t.Errorf("never answered: got %v, want an error", counted)
	}
}
