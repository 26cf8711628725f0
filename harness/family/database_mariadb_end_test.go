package family

import (
	"slices"
	"testing"
	"time"
)

// TestToEnd: who has just been let in, so that it is not written down yet with which
// password, is not taken for one of the password that is revoked.
func TestToEnd(t *testing.T) {
	seen, begin := map[int64]time.Time{}, time.Unix(1000, 0)
	old, unnamed := mariaDBSession{id: 1, tag: "k1"}, mariaDBSession{id: 2}
	for _, tt := range []struct {
		after time.Duration
		left  []mariaDBSession
		want  []mariaDBSession
	}{
		{0, []mariaDBSession{old, unnamed}, []mariaDBSession{old}},
		{10 * time.Millisecond, []mariaDBSession{unnamed}, nil},
		{namedWithin, []mariaDBSession{unnamed, {id: 3}}, []mariaDBSession{unnamed}},
	} {
		if got := toEnd(tt.left, seen, begin.Add(tt.after)); !slices.Equal(got, tt.want) {
			t.Errorf("after %s: got %v, want %v", tt.after, got, tt.want)
		}
	}
}
