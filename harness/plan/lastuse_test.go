package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// usedEach is a view in which the emitter switched at nought, and app used k1 since
// then once in every so often.
func usedEach(every, until time.Duration) (*history.View, history.CellKey) {
	key := history.CellKey{Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1"}
	view := history.NewView()
	view.Switched["auth"] = map[string]history.Offset{"k2": 0}
	for at := every; at <= until; at += every {
		view.Cells[key] = append(view.Cells[key], history.Bucket{At: history.Offset(at), Counts: &history.Counts{Attempts: 1, OK: 1}})
	}
	return view, key
}

func TestLastUse(t *testing.T) {
	t.Parallel()
	l := Limits{Speed: 60, LongestLife: 10 * time.Minute} // 10 s of wall time
	for _, tt := range []struct {
		name             string
		now, every, want time.Duration
	}{
		{"shorter than the longest life: all of it counts", 5 * time.Second, 100 * time.Millisecond, time.Second},
		{"just the longest life", 10 * time.Second, 100 * time.Millisecond, leastLastUse},
		{"half a second more", 10500 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond},
		{"a second more", 11 * time.Second, 100 * time.Millisecond, time.Second},
		{"a minute", time.Minute, 100 * time.Millisecond, time.Second},
		{"a minute, one that comes every three seconds", time.Minute, 3 * time.Second, 6 * time.Second},
		{"one that comes every three seconds, two after its life", 12 * time.Second, 3 * time.Second, time.Second},
		{"one that comes every three seconds, four after its life", 14 * time.Second, 3 * time.Second, 3 * time.Second},
	} {
		view, key := usedEach(tt.every, tt.now)
		if got := l.LastUse(view, key, "k2", history.Offset(tt.now)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
