package harness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rated is a load service that notes what rates it was told, or refuses them.
type rated struct {
	loaded
	err error

	mu   sync.Mutex
	told []float64
}

func (l *rated) SetRate(_ context.Context, _ string, rate float64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, rate)
	return l.err
}

// begun is faults that note which phases began.
type begun struct {
	world.Faults
	phases *[]history.Phase
}

func (b begun) Begin(_ context.Context, phase history.Phase) { *b.phases = append(*b.phases, phase) }

// TestPaced: rates change at their moment, which the history has; faults are told of
// phases as ever; what has not come when the load ends does not come.
func TestPaced(t *testing.T) {
	scenario := strings.Replace(plantest.JWTScenario, "rate: 100/s", "rate: 40/s, from: accept, steps: [{at: emit+1m, rate: 80/s}], until: watch+10h", 1)
	for name, fails := range map[string]error{"it is told": nil, "it refuses": errors.New("boom")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &run{plan: plantest.Plan(t, plantest.JWTPage, scenario)}
				r.recorder = history.NewRecorder(time.Now(), nil)
				r.names = logs.NewNames(r.plan)
				r.evidence = recording{recorder: r.recorder, names: r.names, probes: &probes{}}
				client := &rated{err: fails}
				var phases []history.Phase
				traffic := &traffic{run: r, client: client}
				traffic.ctx, traffic.cancel = context.WithCancel(t.Context())
				faults := paced{begun{nil, &phases}, traffic}
				for _, phase := range history.Phases() {
					faults.Begin(t.Context(), phase)
					time.Sleep(10 * time.Second)
				}
				if err := traffic.end(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(client.told, []float64{40, 80}) {
					t.Errorf("the load was told %v, want 40 and 80", client.told)
				}
				if !slices.Equal(phases, history.Phases()) {
					t.Errorf("faults were told of %v", phases)
				}
				h, err := r.recorder.Close(time.Second)
				if err != nil {
					t.Fatal(err)
				}
				rates, troubles := 0, 0
				for _, e := range h.Events {
					switch e.Kind {
					case history.KindRate:
						rates++
					case history.KindTrouble:
						troubles++
					}
				}
				if fails == nil && (rates != 2 || troubles != 0) || fails != nil && (rates != 0 || troubles != 2) {
					t.Errorf("the history has %d changes and %d troubles", rates, troubles)
				}
			})
		})
	}
}
