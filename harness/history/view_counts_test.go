package history

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestAnswersInAreThoseOfTheSum holds what is counted without making parts of buckets against the sum of these.
func TestAnswersInAreThoseOfTheSum(t *testing.T) {
	const tenth = Offset(100 * time.Millisecond)
	random := rand.New(rand.NewPCG(1, 2))
	key, other := CellKey{FromLoad, "web", "search", "k1"}, CellKey{FromLoad, "app", "checkout", "k1"}
	v := NewView()
	v.Apply(Event{Kind: KindCounts, Counts: &Counts{Source: other.Source, Presenter: other.Presenter, Validator: other.Validator, Credential: other.Credential, Width: tenth}})
	var at Offset
	for range 200 {
		c := Counts{Source: key.Source, Presenter: key.Presenter, Validator: key.Validator, Credential: key.Credential, Width: tenth}
		if random.IntN(3) == 0 { // a wide one, of attempts that succeeded
			c.Width *= Offset(2 + random.IntN(50))
			c.Attempts = 1 + random.Int64N(1000)
			c.OK = c.Attempts
		} else {
			c.OK, c.AuthFailures = random.Int64N(5), random.Int64N(5)
			c.Attempts = c.OK + c.AuthFailures
		}
		v.Apply(Event{At: at, Kind: KindCounts, Counts: &c})
		at += c.Width + tenth*Offset(random.IntN(3))
	}
	for range 2000 {
		from := Offset(random.Int64N(int64(at)))
		to := from + Offset(random.Int64N(int64(at/4)))
		ok, refused := v.AnswersIn(key, from, to)
		if want := v.Sum(key, from, to); ok != want.OK || refused != want.AuthFailures {
			t.Fatalf("in [%s, %s): got %d and %d, want %d and %d", from.Wall(), to.Wall(), ok, refused, want.OK, want.AuthFailures)
		}
	}
	if got := v.KeysAt("search"); !slices.Equal(got, []CellKey{key}) {
		t.Errorf("cells of search: got %v, want %v", got, key)
	}
}
