package plan

import (
	"reflect"
	"testing"
	"time"
)

func TestTimeline(t *testing.T) {
	p := built(t, loaded(t, jwtPage, jwtScenario), Options{Speed: 10})
	m, s := time.Minute, time.Second
	want := []Stretch{
		{"baseline", 0, 0, 5 * m, 30 * s},
		{"accept", 5 * m, 30 * s, 0, 0},
		{"verify", 5 * m, 30 * s, 5 * m, 30 * s},
		{"emit", 10 * m, 60 * s, 50 * s, 5 * s},
		{"overlap", 10*m + 50*s, 65 * s, 45 * m, 270 * s},
		{"revoke", 55*m + 50*s, 335 * s, 0, 0},
		{"watch", 55*m + 50*s, 335 * s, 20 * m, 120 * s},
	}
	if got := p.Timeline(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if want := (Times{30 * s, 30 * s, 5 * s, 270 * s, 120 * s, 45 * m}); p.Times != want {
		t.Errorf("times: got %+v, want %+v", p.Times, want)
	}
}
