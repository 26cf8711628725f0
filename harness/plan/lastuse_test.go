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

// An emitter that does not say when it switches: what it used before the rotation
// told it to is no use that is left, and what it uses after that is.
func TestLastUseOfASilentEmitter(t *testing.T) {
	t.Parallel()
	l := Limits{Speed: 30, LongestLife: 2 * time.Minute, Emitters: []Emitter{{Name: "shop"}}} // 4 s of wall time
	old := history.CellKey{Source: history.FromAuthority, Presenter: "shop", Validator: "db", Credential: "k1"}
	fresh := old
	fresh.Credential = "k2"
	const emit, now = 12 * time.Second, 18100 * time.Millisecond
	used := func(at ...time.Duration) (buckets []history.Bucket) {
		for _, at := range at {
			buckets = append(buckets, history.Bucket{At: history.Offset(at), Counts: &history.Counts{Attempts: 1, OK: 1}})
		}
		return buckets
	}
	for _, tt := range []struct {
		name       string
		old, fresh []time.Duration
		want       int64 // uses of the old one that are left
	}{
		{"old ones before it was told to", []time.Duration{2 * time.Second, 6 * time.Second, 11 * time.Second}, []time.Duration{12500 * time.Millisecond}, 0},
		{"an old one once more, within its life", []time.Duration{6 * time.Second, 13 * time.Second}, []time.Duration{13500 * time.Millisecond}, 0},
		{"old ones until now", []time.Duration{6 * time.Second, 10 * time.Second, 14 * time.Second, 18 * time.Second}, []time.Duration{13500 * time.Millisecond}, 1},
		{"only old ones", []time.Duration{6 * time.Second, 10 * time.Second, 14 * time.Second, 17500 * time.Millisecond}, nil, 1},
	} {
		view := history.NewView()
		view.Steps["emit"] = map[string]history.Offset{"k2": history.Offset(emit)}
		view.Cells[old], view.Cells[fresh] = used(tt.old...), used(tt.fresh...)
		within := history.Offset(l.LastUse(view, old, "k2", history.Offset(now)))
		left := view.Sum(old, history.Offset(now)-within, history.Offset(now)+1)
		if got := left.Answered(); got != tt.want {
			t.Errorf("%s: %d uses of k1 in the last %s, want %d", tt.name, got, within.Wall(), tt.want)
		}
	}
}
