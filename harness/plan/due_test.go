package plan

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestDue(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	for _, tt := range []struct {
		name        string
		later       bool
		changes     []history.RateSince
		from, until float64
		due, least  float64
	}{
		{"the same all the time", false, nil, 10, 20, 50, 5},
		{"it begins in the middle", true, []history.RateSince{{At: at(15), Rate: 5}}, 10, 20, 25, 5},
		{"it begins later", true, []history.RateSince{{At: at(30), Rate: 5}}, 10, 20, 0, 5},
		{"it never begins", true, nil, 10, 20, 0, 5},
		{"it ended", false, []history.RateSince{{At: at(5), Rate: 0}}, 10, 20, 0, 5},
		{"steps", false, []history.RateSince{{At: at(12), Rate: 100}, {At: at(14), Rate: 1}, {At: at(18), Rate: 0}}, 10, 20, 10 + 200 + 4, 1},
		{"before and after", false, []history.RateSince{{At: at(5), Rate: 2}, {At: at(25), Rate: 9}}, 10, 20, 20, 2},
		{"nothing of the time", false, []history.RateSince{{At: at(5), Rate: 2}}, 10, 10, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := history.NewView()
			v.Rates["web"] = tt.changes
			c := Client{Name: "web", Rate: 5, Later: tt.later}
			if got := c.Due(v, at(tt.from), at(tt.until)); got != tt.due {
				t.Errorf("%v were due, want %v", got, tt.due)
			}
			if got := c.LeastRate(v); got != tt.least {
				t.Errorf("the least rate is %v, want %v", got, tt.least)
			}
		})
	}
}
