package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestBounds(t *testing.T) {
	tests := []struct {
		name            string
		page, rehearsal string
		replace         []string
		want            []string
	}{
		{"stale and shared caches", jwtPage, jwtScenario, nil, []string{
			"G1 checkout: rollout.lead is 5m, needs 50s (refresh of auth 20s + propagation 30s)",
			"G1 search: rollout.lead is 5m and must be at least 21m50s (learns 15m + cache edge 6m + refresh of auth 20s + propagation 30s)",
			"G1 shadow: rollout.lead is 5m, needs 50s (refresh of auth 20s + propagation 30s)",
			"G2: overlap.window is 45m, needs 10m30s (longest life 10m + propagation 30s)",
			"G3 checkout: rollout.watch is 20m and must be at least 1h0m50s (forgets 1h + refresh of auth 20s + propagation 30s)",
			"G3 search: rollout.watch is 20m and must be at least 21m50s (forgets 15m + cache edge 6m + refresh of auth 20s + propagation 30s)",
			"G3 shadow: rollout.watch is 20m, and no time is enough (never forgets by itself + refresh of auth 20s + propagation 30s)",
		}},
		{"a flag day", keyPage, keyScenario, []string{"lead: 1m, propagation: 30s", "lead: 0", "window: 2m", "window: 0"}, []string{
			"G1 payments: rollout.lead is 0s, needs 0s (nothing to wait for)",
			"G2: overlap.window is 0s, needs 0s (nothing to wait for)",
			"G3 payments: rollout.watch is 5m, needs 0s (nothing to wait for)",
		}},
		{"a window too short", keyPage, keyScenario, []string{"window: 2m", "window: 29s"}, []string{
			"G1 payments: rollout.lead is 1m, needs 30s (propagation 30s)",
			"G2: overlap.window is 29s and must be at least 30s (propagation 30s)",
			"G3 payments: rollout.watch is 5m, needs 30s (propagation 30s)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := built(t, loaded(t, tt.page, tt.rehearsal, tt.replace...), Options{})
			bounds := p.Limits.Bounds()
			for i, b := range bounds {
				if i < len(tt.want) && b.String() != tt.want[i] {
					t.Errorf("got  %s\nwant %s", b, tt.want[i])
				}
				if want := limit(p.Limits, b); b.Needed != want {
					t.Errorf("%s %s needs %v, and the limits say %v", b.Rule, b.Validator, b.Needed, want)
				}
			}
			if len(bounds) != len(tt.want) {
				t.Errorf("got %d bounds, want %d", len(bounds), len(tt.want))
			}
		})
	}
}

// limit is what the judge will hold a bound against.
func limit(l Limits, b Bound) time.Duration {
	v, _ := l.Validator(b.Validator)
	switch b.Rule {
	case "G1":
		return l.G1(v)
	case "G2":
		return l.G2()
	}
	return l.G3(v)
}

func TestAddForever(t *testing.T) {
	if got := add(time.Hour, runbook.Forever, time.Hour); got != runbook.Forever {
		t.Errorf("got %v, want no bound", got)
	}
}

// TestBoundsAreThoseOfRFC7583 holds G1 and G2 against the intervals of RFC 7583 for a zone signing key that is published
// before it signs (§3.2.1): Ipub = Dprp + TTLkey, Iret = Dsgn + Dprp + TTLsig. A resolver is a validator
// that learns and forgets with the TTL of the key set; what was signed with the old key lives for TTLsig; Dsgn is how
// long it takes until everything is signed anew, which is when the last emitter has switched. The figures are those of
// BIND's own test of it (bin/tests/system/kasp, zsk-prepub), less its safety margins of 1d and 2d: 26h and 10d1h.
func TestBoundsAreThoseOfRFC7583(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name                       string
		dprp, ttlKey, dsgn, ttlSig time.Duration
		ipub, iret                 time.Duration
	}{
		{"BIND's", time.Hour, time.Hour, 7 * day, day, 26*time.Hour - day, 10*day + time.Hour - 2*day},
		{"without propagation", 0, time.Hour, 0, day, time.Hour, day},
		{"a key set that nobody caches", 5 * time.Minute, 0, time.Hour, 2 * day, 5 * time.Minute, 2*day + time.Hour + 5*time.Minute},
	} {
		v := Validator{Name: "resolver", OnPage: true, Learns: tt.ttlKey, Forgets: tt.ttlKey}
		l := Limits{Speed: 1, Propagation: tt.dprp, LongestLife: tt.ttlSig, Lead: tt.ipub, Window: tt.iret - tt.dsgn, Watch: tt.ipub, Validators: []Validator{v}}
		if got := l.G1(v); got != tt.ipub {
			t.Errorf("%s: G1 is %s, want Ipub, %s", tt.name, got, tt.ipub)
		}
		if got := tt.dsgn + l.G2(); got != tt.iret {
			t.Errorf("%s: from the emit to the revoke it takes %s, want Iret, %s", tt.name, got, tt.iret)
		}
		for _, b := range l.Bounds() {
			if !b.Held || b.Needed != b.Planned {
				t.Errorf("%s: got %s, want that it just holds", tt.name, b)
			}
		}
	}
}
