package live

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Metrics is what a run has come to, for Prometheus to scrape. Names and units follow
// its conventions (prometheus.io/docs/practices/naming). It is safe for concurrent use.
type Metrics struct {
	mu       sync.Mutex
	phase    history.Phase
	info     []string
	outcomes map[history.CellKey]map[history.Outcome]int64
	retries  map[history.CellKey]int64
	lasted   map[edge]*durations
	faults   map[[2]string]bool // kind, target: in effect
	gates    map[history.Phase]bool
	takes    map[[2]string]bool    // validator, credential
	emits    map[string]string     // by emitter
	steps    map[[2]string]float64 // step, credential: seconds since the start of the run
	dropped  int64
}

// edge is a presenter at a validator, as it is counted somewhere.
type edge struct {
	presenter, validator string
	source               history.Source
}

var (
	_ history.Listener     = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// NewMetrics are those of a run of a plan, before its first event.
func NewMetrics(p *plan.Plan) *Metrics {
	return &Metrics{
		info:     []string{p.Name, p.Runbook.Scope.Name, p.Runbook.Scope.Family},
		outcomes: map[history.CellKey]map[history.Outcome]int64{}, retries: map[history.CellKey]int64{}, lasted: map[edge]*durations{},
		faults: map[[2]string]bool{}, gates: map[history.Phase]bool{},
		takes: map[[2]string]bool{}, emits: map[string]string{}, steps: map[[2]string]float64{},
	}
}

// Event takes one more event into account.
func (m *Metrics) Event(e history.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e.Kind {
	case history.KindPhase:
		m.phase = e.Phase
	case history.KindCounts:
		m.count(e.Counts)
	case history.KindFault:
		key := [2]string{e.Fault.Kind, e.Fault.Target}
		switch e.Fault.Stage {
		case history.FaultInjected:
			m.faults[key] = true
		case history.FaultUndone:
			m.faults[key] = false
		}
	case history.KindGate:
		m.gates[e.Gate.Phase] = e.Gate.Held
	case history.KindLearned:
		m.takes[[2]string{e.Service, e.Credential}] = true
	case history.KindForgot:
		m.takes[[2]string{e.Service, e.Credential}] = false
	case history.KindEmitting:
		m.emits[e.Service] = e.Credential
	case history.KindStep:
		if e.Detail == "" {
			m.steps[[2]string{e.Step, e.Credential}] = e.At.Duration().Seconds()
		}
	}
}

// count adds what was counted: what is kept grows with cells, and not with time.
func (m *Metrics) count(c *history.Counts) {
	key := history.CellKey{Source: c.Source, Presenter: c.Presenter, Validator: c.Validator, Credential: c.Credential}
	if m.outcomes[key] == nil {
		m.outcomes[key] = map[history.Outcome]int64{}
	}
	for outcome, n := range map[history.Outcome]int64{history.OK: c.OK, history.AuthFailure: c.AuthFailures, history.Unavailable: c.Unavailable, history.HarnessError: c.HarnessErrors} {
		m.outcomes[key][outcome] += n
	}
	m.retries[key] += c.Retries
	at := edge{c.Presenter, c.Validator, c.Source}
	if m.lasted[at] == nil {
		m.lasted[at] = &durations{below: make([]uint64, len(latencyBuckets))}
	}
	m.lasted[at].add(c.Latency)
}

// Dropped counts events that were not heard: what they would have counted is missing.
func (m *Metrics) Dropped(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped += n
}

// What there is to scrape.
var (
	descInfo     = prometheus.NewDesc("rehearse_run_info", "The rehearsal that is under way; always 1.", []string{"scenario", "secret", "family"}, nil)
	descPhase    = prometheus.NewDesc("rehearse_phase", "1 for the phase that is under way, 0 for the others.", []string{"phase"}, nil)
	descAttempts = prometheus.NewDesc("rehearse_attempts_total", "First attempts of a presenter at a validator with a credential, by where they were counted and what became of them.",
		[]string{"presenter", "validator", "credential", "source", "outcome"}, nil)
	descRetries = prometheus.NewDesc("rehearse_retries_total", "Attempts after the first.", []string{"presenter", "validator", "credential", "source"}, nil)
	descLatency = prometheus.NewDesc("rehearse_attempt_duration_seconds", "How long first attempts took.", []string{"presenter", "validator", "source"}, nil)
	descFault   = prometheus.NewDesc("rehearse_fault_active", "1 while a fault is in effect, 0 once it was undone.", []string{"kind", "target"}, nil)
	descGate    = prometheus.NewDesc("rehearse_gate_held", "Whether the gate of a phase held when it was last asked.", []string{"phase"}, nil)
	descTakes   = prometheus.NewDesc("rehearse_validator_takes", "1 where a validator takes a credential, 0 once it has forgotten it.", []string{"validator", "credential"}, nil)
	descEmits   = prometheus.NewDesc("rehearse_emitter_uses", "The credential that an emitter uses; always 1.", []string{"emitter", "credential"}, nil)
	descStep    = prometheus.NewDesc("rehearse_step_done_seconds", "When a step of a credential was done, since the start of the run.", []string{"step", "credential"}, nil)
	descDropped = prometheus.NewDesc("rehearse_events_dropped_total", "Events that are missing here, since they came too fast.", nil, nil)
)

// latencyBuckets are the upper bounds of those of a duration, in seconds.
var latencyBuckets = prometheus.DefBuckets

// Describe tells what Collect may send.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descInfo, descPhase, descAttempts, descRetries, descLatency, descFault, descGate, descTakes, descEmits, descStep, descDropped} {
		to <- d
	}
}

// Collect sends what the run has come to.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	flag := map[bool]float64{true: 1}
	gauge(descInfo, 1, m.info...)
	for _, phase := range append(history.Phases(), history.Rollback) {
		gauge(descPhase, flag[phase == m.phase], string(phase))
	}
	for key, outcomes := range m.outcomes {
		at := []string{key.Presenter, key.Validator, key.Credential, string(key.Source)}
		for outcome, n := range outcomes {
			counter(descAttempts, n, append(slices.Clone(at), string(outcome))...)
		}
		counter(descRetries, m.retries[key], at...)
	}
	for at, d := range m.lasted {
		to <- d.histogram(at.presenter, at.validator, string(at.source))
	}
	for key, active := range m.faults {
		gauge(descFault, flag[active], key[0], key[1])
	}
	for phase, held := range m.gates {
		gauge(descGate, flag[held], string(phase))
	}
	for key, takes := range m.takes {
		gauge(descTakes, flag[takes], key[0], key[1])
	}
	for emitter, credential := range m.emits {
		gauge(descEmits, 1, emitter, credential)
	}
	for key, at := range m.steps {
		gauge(descStep, at, key[0], key[1])
	}
	counter(descDropped, m.dropped)
}

// durations are how many attempts took how long.
type durations struct {
	below []uint64 // as many as each of latencyBuckets, or less
	count uint64
	sum   time.Duration
}

// add adds [microseconds, count] pairs.
func (d *durations) add(pairs [][2]int64) {
	for _, p := range pairs {
		took, n := time.Duration(p[0])*time.Microsecond, uint64(p[1])
		d.count, d.sum = d.count+n, d.sum+took*time.Duration(n)
		for i, bound := range latencyBuckets {
			if took.Seconds() <= bound {
				d.below[i] += n
			}
		}
	}
}

func (d *durations) histogram(labels ...string) prometheus.Metric {
	buckets := map[float64]uint64{}
	for i, bound := range latencyBuckets {
		buckets[bound] = d.below[i]
	}
	return prometheus.MustNewConstHistogram(descLatency, d.count, d.sum.Seconds(), buckets, labels...)
}
