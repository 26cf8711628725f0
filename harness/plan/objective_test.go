package plan

import "testing"

// TestObjectiveMetExactly: an objective that is just met is met, whatever its digits.
func TestObjectiveMetExactly(t *testing.T) {
	for _, tt := range []struct {
		percent            float64
		attempts, failures int64
	}{
		{99.9, 1000, 1}, {99.9, 10_000, 10}, {99.95, 10_000, 5}, {99.99, 10_000, 1}, {99, 1000, 10}, {99.5, 1000, 5}, {99.999, 1_000_000, 10}, {100, 10, 0},
	} {
		objective := tt.percent / 100
		if !Within(objective, tt.failures, tt.attempts) {
			t.Errorf("%g %%: %d of %d are refused as beyond it, want them within", tt.percent, tt.failures, tt.attempts)
		}
		if Within(objective, tt.failures+1, tt.attempts) {
			t.Errorf("%g %%: %d of %d are taken as within it, want them beyond", tt.percent, tt.failures+1, tt.attempts)
		}
	}
	for _, tt := range []struct {
		objective          float64
		failures, attempts int64
		want               float64
	}{{0.999, 1, 1000, 1}, {0.999, 4, 1000, 4}, {0.999, 0, 1000, 0}, {1, 7, 1000, 7}} {
		if got := Spent(tt.objective, tt.failures, tt.attempts); got != tt.want {
			t.Errorf("spent of %g with %d of %d: got %g, want %g", tt.objective, tt.failures, tt.attempts, got, tt.want)
		}
	}
}
