package rotation

import (
	"errors"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// TestOver: that nothing was seen of a rotator that has ended counts once it was looked at
// after what it did had time to arrive.
func TestOver(t *testing.T) {
	t.Parallel()
	ended, grace := time.Unix(1000, 0), 4*time.Second
	at := func(d time.Duration) time.Time { return ended.Add(d) }
	for _, tt := range []struct {
		name string
		p    world.Progress
		now  time.Time
		want bool
	}{
		{"it has not ended", world.Progress{}, at(time.Hour), false},
		{"just ended", world.Progress{Over: true, OverAt: ended, Looked: at(0)}, at(time.Second), false},
		{"looked at since", world.Progress{Over: true, OverAt: ended, Looked: at(4 * time.Second)}, at(5 * time.Second), true},
		{"looked at before", world.Progress{Over: true, OverAt: ended, Looked: at(3 * time.Second)}, at(5 * time.Second), false},
		{"looked at before, and not for long", world.Progress{Over: true, OverAt: ended, Looked: at(3 * time.Second)}, at(3 * time.Minute), true},
		{"it cannot be looked at", world.Progress{Over: true, OverAt: ended, Looked: at(0), Blind: errors.New("no way")}, at(5 * time.Second), true},
		{"nobody says when it was looked at", world.Progress{Over: true, OverAt: ended}, at(5 * time.Second), true},
	} {
		if got := over(tt.p, tt.now, grace); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}
