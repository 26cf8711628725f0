package live

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

var update = flag.Bool("update", false, "write the golden file anew")

// events are those of a short run.
func events() []history.Event {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	counts := func(c history.Counts) *history.Counts {
		c.Source, c.Presenter, c.Validator, c.Width = history.FromLoad, "web", "checkout", at(0.1)
		return &c
	}
	return []history.Event{
		{At: at(1), Kind: history.KindPhase, Phase: history.Baseline},
		{At: at(1), Kind: history.KindEmitting, Service: "auth", Credential: "k1"},
		{At: at(1), Kind: history.KindLearned, Service: "checkout", Credential: "k1"},
		{At: at(2), Kind: history.KindCounts, Counts: counts(history.Counts{Credential: "k1", Attempts: 3, OK: 3, Latency: [][2]int64{{1000, 2}, {700_000, 1}}})},
		{At: at(3), Kind: history.KindPhase, Phase: history.Emit},
		{At: at(3), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "checkout → auth", Stage: history.FaultInjected}},
		{At: at(4), Kind: history.KindStep, Step: "emit", Credential: "k2"},
		{At: at(4), Kind: history.KindStep, Step: "revoke", Credential: "k1", Detail: "no answer"},
		{At: at(5), Kind: history.KindCounts, Counts: counts(history.Counts{Credential: "k2", Attempts: 4, OK: 1, AuthFailures: 2, Unavailable: 1, Retries: 2, Latency: [][2]int64{{2000, 4}}})},
		{At: at(6), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "checkout → auth", Stage: history.FaultUndone}},
		{At: at(6), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Emit, Held: false, Detail: "checkout refuses k2"}},
		{At: at(7), Kind: history.KindForgot, Service: "checkout", Credential: "k1"},
		{At: at(8), Kind: history.KindEmitting, Service: "auth", Credential: "k2"},
		{At: at(9), Kind: history.KindEnd, Detail: history.EndedRolledBack},
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics(plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario))
	for _, e := range events() {
		m.Event(e)
	}
	m.Dropped(7)
	if problems, err := testutil.CollectAndLint(m); err != nil || len(problems) > 0 {
		t.Errorf("against the conventions of Prometheus: %v, %v", problems, err)
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&got, family); err != nil {
			t.Fatal(err)
		}
	}
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
