package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// slowLogin is a look that takes so long, and has no answer where it is not given the time.
func slowLogin(takes time.Duration) func(context.Context) Reading {
	return func(ctx context.Context) Reading {
		if (world.WallClock{}).Sleep(ctx, takes) != nil {
			return Reading{}
		}
		return Reading{takesNewest: 1}
	}
}

// TestLooksAreGivenTheTimeThatTheyTake: what answers slowly, as a database does on a busy machine, is seen;
// what never answers is not waited for without end.
func TestLooksAreGivenTheTimeThatTheyTake(t *testing.T) {
	for takes, want := range map[time.Duration]int{askWithin / 2: 1, 2*askWithin - time.Millisecond: 1, lookWithin / 5: 1, time.Hour: 0} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			got := watch(t.Context(), glance, slowLogin(takes), func(Reading) bool { return false })
			if len(got) != want {
				t.Errorf("a look that takes %s: got %v, want %d figures", takes, got, want)
			}
			if took := time.Since(began); took > 2*lookWithin {
				t.Errorf("a look that takes %s was waited for over %s", takes, took)
			}
		})
	}
}

// slowToAnswer is a fault whose effect shows in a login that takes so long.
type slowToAnswer struct {
	untilEnd
	showing
}

func (slowToAnswer) Inject(context.Context) error { return nil }
func (slowToAnswer) Undo(context.Context) error   { return nil }

// TestUndoIsSeenOfWhatAnswersSlowly: a fault is seen to be undone where each look takes longer than the first
// is given; where there never is an answer it is not.
func TestUndoIsSeenOfWhatAnswersSlowly(t *testing.T) {
	for takes, undone := range map[time.Duration]bool{3 * askWithin: true, lookWithin - time.Millisecond: true, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			s, d := scheduled(t, newMachine())
			f := slowToAnswer{showing: showing{once: slowLogin(takes), differs: func(r Reading) bool { return r[takesNewest] == 0 }}}
			err := s.undo(t.Context(), &planned{Fault: f}, nil)
			if (err == nil) != undone {
				t.Errorf("a login that takes %s: got %v after %q, want undone: %t", takes, err, d.stages(), undone)
			}
		})
	}
}
