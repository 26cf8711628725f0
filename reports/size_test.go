package reports

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// big is a run of an hour with 100 consumers, each with a client of its own
// that makes two requests a second, half of which fail for a while.
func big() (*history.History, *Model) {
	const consumers = 100
	m := failModel()
	m.Speed, m.Limits.Speed = 1, 1
	m.Phases, m.Cells, m.Validators, m.Findings = nil, nil, nil, nil
	h := &history.History{Events: []history.Event{{Kind: history.KindPlan}}}
	for i, p := range history.Phases() {
		from, to := int64(i)*3_600_000/7, int64(i+1)*3_600_000/7
		m.Phases = append(m.Phases, judge.PhaseSpan{Name: p, StartMS: from, EndMS: to})
	}
	second := 0
	for _, p := range m.Phases {
		h.Events = append(h.Events, history.Event{At: history.Milliseconds(p.StartMS), Kind: history.KindPhase, Phase: p.Name})
		for ; int64(second)*1000 < p.EndMS; second++ {
			for c := range consumers {
				failures := int64(0)
				if p.Name == history.Overlap && (second+c)%2 == 0 {
					failures = 1
				}
				h.Events = append(h.Events, history.Event{At: history.Offset(time.Duration(second) * time.Second), Kind: history.KindCounts, Counts: &history.Counts{
					Source: history.FromLoad, Presenter: fmt.Sprintf("client-%03d", c), Validator: fmt.Sprintf("service-%03d", c),
					Credential: []string{"k1", "k2"}[min(1, second/1800)], Width: history.Offset(100 * time.Millisecond),
					Attempts: 2, OK: 2 - failures, AuthFailures: failures, Latency: [][2]int64{{int64(800 + second%300), 1}, {int64(900 + c), 1}},
				}})
			}
		}
		for c := range consumers {
			x := cell(fmt.Sprintf("service-%03d", c), p.Name, 1000, int64(c), map[string]judge.CredentialCounts{"k1": {Attempts: 500}, "k2": {Attempts: 500}})
			x.Presenter = fmt.Sprintf("client-%03d", c)
			m.Cells = append(m.Cells, x)
		}
	}
	for c := range consumers {
		name := fmt.Sprintf("service-%03d", c)
		m.Validators = append(m.Validators, judge.ValidatorReport{Name: name, OnPage: true, LearnedAfterMS: 1000, ForgotAfterMS: -1, BoundMS: 5000, ForgetBoundMS: -1})
		m.Findings = append(m.Findings, judge.Finding{RuleID: "auth-failures-flat", Level: judge.Error, Validator: name, Consumer: name,
			Message: name + " refused k2", Count: 100, FirstMS: 1000, LastMS: 2000, Fix: "publish earlier for " + name})
	}
	return h, m
}

func TestReportsOfABigRunStaySmall(t *testing.T) {
	h, m := big()
	m.Timeline = TimelineOf(h, m.Limits)
	for name, limit := range map[string]int{"html": 5 << 20, "markdown": 65_536} {
		write := WriteHTML
		if name == "markdown" {
			write = WriteMarkdown
		}
		var b bytes.Buffer
		if err := write(&b, m); err != nil {
			t.Fatal(err)
		}
		if b.Len() > limit {
			t.Errorf("%s: got %d bytes, want at most %d", name, b.Len(), limit)
		}
		if !bytes.Contains(b.Bytes(), []byte("service-099")) {
			t.Errorf("%s: does not name the worst service", name)
		}
		t.Logf("%s: %d bytes", name, b.Len())
	}
}

// BenchmarkBigRun is the time from a history in memory to a written report.html:
// an hour, 100 consumers, 360,000 buckets of counts.
func BenchmarkBigRun(b *testing.B) {
	h, m := big()
	for b.Loop() {
		m.Timeline = TimelineOf(h, m.Limits)
		if err := WriteHTML(io.Discard, m); err != nil {
			b.Fatal(err)
		}
	}
}
