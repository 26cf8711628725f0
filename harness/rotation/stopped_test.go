package rotation_test

import (
	"context"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// alerted are steps of a system whose alert goes off some time after one was taken.
type alerted struct {
	world.Steps
	says func() (string, time.Duration)
}

func (a alerted) Stop() (string, time.Duration) { return a.says() }

func TestStopWhen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, patch string
		step        string // after which it goes off; "": never
		how, steps  string
		decisions   []string
	}{
		{"never", "", "", history.EndedComplete, forth, nil},
		{"after the emit", "", "emit", history.EndedRolledBack, backEmit, []string{"rollback: stop-when"}},
		{"and gates only observe", "gates: observe\n", "emit", history.EndedRolledBack, backEmit, []string{"rollback: stop-when"}},
		{"after the revoke", "", "revoke", history.EndedRolledBack, backRevoke, []string{"rollback: stop-when"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearseIn(t, planned(t, tt.patch), simulated.Options{}, func(w *world.World, _ context.CancelFunc) {
				evidence, old := w.History, map[string]string{"emit": "k2", "revoke": "k1"}
				w.Steps = alerted{w.Steps, func() (why string, held time.Duration) {
					evidence.See(func(v *history.View) {
						if at, taken := v.Steps[tt.step][old[tt.step]]; taken && evidence.Offset() > at+history.Offset(time.Second) {
							why, held = "the shop's alert: too many orders fail", 500*time.Millisecond
						}
					})
					return why, held
				}}
			})
			r.wantNoError(t)
			r.wantEnd(t, tt.how, tt.steps)
			wantEqual(t, "decisions", r.decisions(), tt.decisions)
			if len(tt.decisions) == 0 {
				return
			}
			d, at := r.decided(t)
			if d.Why != "the shop's alert: too many orders fail" || at-d.Since != history.Offset(500*time.Millisecond) {
				t.Errorf("decided at %v since %v for %q", at, d.Since, d.Why)
			}
		})
	}
}
