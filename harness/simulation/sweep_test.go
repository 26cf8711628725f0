package simulation

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

func loaded(t *testing.T, name string) *scenario.Loaded {
	t.Helper()
	l, err := scenario.Load(scenarios.FS, scenarios.File(name))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestChance holds the interval against figures of the literature: R. G. Newcombe,
// Statistics in Medicine 17 (1998), table I, method 3, and one without any.
func TestChance(t *testing.T) {
	for _, tt := range []struct {
		k, n      int
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		got := Chance(tt.k, tt.n)
		if math.Abs(got.Low-tt.low) > 1e-4 || math.Abs(got.High-tt.high) > 1e-4 {
			t.Errorf("%d of %d: got %.4f to %.4f, want %.4f to %.4f", tt.k, tt.n, got.Low, got.High, tt.low, tt.high)
		}
	}
	for _, p := range []float64{0.01, 0.05, 0.2} {
		if n := LeastRuns(p); Chance(0, n).High > p || Chance(0, n-1).High <= p {
			t.Errorf("least runs to show %g: got %d, with limits %g, and %g with one less", p, n, Chance(0, n).High, Chance(0, n-1).High)
		}
	}
}

func TestKeys(t *testing.T) {
	l := loaded(t, "jwt-signing-key/shared-cache")
	for _, name := range []string{"lead", "overlap.window", "consumers.auth.refresh", "services.cdn.ttl"} {
		k, err := KeyOf(l, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before := k.Value(l)
		other := k.With(l, int64(19*time.Minute))
		if got := k.Value(other); got != int64(19*time.Minute) {
			t.Errorf("%s: got %s, want 19m", name, k.Text(got))
		}
		if got := k.Value(l); got != before || got == int64(19*time.Minute) {
			t.Errorf("%s: it was changed where it comes from: got %s, want %s", name, k.Text(got), k.Text(before))
		}
	}
	if _, err := KeyOf(l, "led"); err == nil || !strings.Contains(err.Error(), "led") {
		t.Errorf("a key that there is not: got %v, want an error that names it", err)
	}
}

// TestSweepOverTheLead wants harm below and none at the bound, and what is safe at a risk
// in between; with an issuer that publishes nothing new, no lead is enough.
func TestSweepOverTheLead(t *testing.T) {
	s := Search{Loaded: loaded(t, "jwt-signing-key/stale-cache"), From: int64(4 * time.Minute), Steps: 3, Runs: 16, Risk: 0.2, Share: 1}
	var err error
	if s.Key, err = KeyOf(s.Loaded, "lead"); err != nil {
		t.Fatal(err)
	}
	c, err := Sweep(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if c.Bounds.Value != int64(16*time.Minute+15*time.Second) || c.Bounds.Decides != "G1 search" {
		t.Errorf("by the bounds: got %+v, want 16m15s by G1 search", c.Bounds)
	}
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	if first.Any.Estimate < 0.3 || first.By["search"] == 0 {
		t.Errorf("at 4m: got %+v, want harm by search", first)
	}
	if last.Any.Estimate != 0 {
		t.Errorf("at %s: got %+v, want none", s.Key.Text(last.Value), last)
	}
	if l := c.AtRisk; l.Never || l.Value <= int64(5*time.Minute) || l.Value > c.Bounds.Value || l.Decides != "search" {
		t.Errorf("smallest safe: got %+v, want one between 5m and the bound, by search", l)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := Sweep(ended, s); err != nil || !c.Partial || !c.AtRisk.Unknown {
		t.Errorf("interrupted: got %+v, %v, want what was found until then", c, err)
	}
	s.Loaded = loaded(t, "jwt-signing-key/missed-consumer")
	if c, err = Sweep(t.Context(), s); err != nil || !c.AtRisk.Never || c.AtRisk.Decides != "reports" {
		t.Errorf("with a consumer that never learns: got %+v, %v, want that no lead is enough because of it", c.AtRisk, err)
	}
}

// TestSweepOverWhatIsSafeWhenSmall varies how long a shared cache keeps an answer: less is safer, and
// what is told is the largest that is safe.
func TestSweepOverWhatIsSafeWhenSmall(t *testing.T) {
	s := Search{Loaded: loaded(t, "jwt-signing-key/shared-cache"), To: int64(time.Hour), Steps: 3, Runs: 16, Risk: 0.2, Share: 1}
	var err error
	if s.Key, err = KeyOf(s.Loaded, "services.cdn.ttl"); err != nil {
		t.Fatal(err)
	}
	c, err := Sweep(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if l := c.AtRisk; !l.Largest || l.Never || l.Value >= s.To || l.Decides == "" {
		t.Errorf("at the risk: got %+v, want the largest that is safe, and who decides it", l)
	}
	if c.Now = c.AtRisk.Value; !c.Keeps() {
		t.Errorf("a page that says %s is not safe, and that is the largest that is", s.Key.Text(c.Now))
	}
	if c.Now++; c.Keeps() {
		t.Errorf("a page that says more than %s is safe, and that is the largest that is", s.Key.Text(c.AtRisk.Value))
	}
}

// TestSweepOverACount varies how many sessions a client has.
func TestSweepOverACount(t *testing.T) {
	s := Search{Loaded: loaded(t, "jwt-signing-key/edge-fleet"), From: 1, To: 40, Steps: 3, Runs: 4, Risk: 0.5, Share: 1}
	var err error
	if s.Key, err = KeyOf(s.Loaded, "services.edge.count"); err != nil || s.Key.Unit != Number {
		t.Fatalf("key: got %+v, %v, want a number", s.Key, err)
	}
	for text, want := range map[string]int64{"300": 300, "5m": -1, "-1": -1, "": -1} {
		if got, err := s.Key.Parse(text); err == nil && got != want || err != nil && want >= 0 {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	c, err := Sweep(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if c.Now != 300 || c.Unit != Number || len(c.Points) < 3 || c.Points[0].Value != 1 || c.Points[len(c.Points)-1].Value != 40 {
		t.Errorf("got %+v, want points from 1 to 40 of what is 300 now", c)
	}
}
