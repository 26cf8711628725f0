package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// short are the keys that have a name of their own, as people say them.
var short = map[string]string{"lead": "rollout.lead", "window": "overlap.window", "watch": "rollout.watch", "propagation": "rollout.propagation"}

// Unit is what a value of a Key counts.
type Unit string

// The units.
const (
	PageTime Unit = "ns"    // nanoseconds of page time
	Number   Unit = "count" // how many
)

// Key is a duration or a whole number of a page or a scenario that can be varied.
type Key struct {
	Path string // rollout.lead, consumers.search.refresh, services.cdn.ttl, services.search.count
	Unit Unit
}

// KeyOf finds the key of that name. The error names the nearest ones.
func KeyOf(l *scenario.Loaded, name string) (Key, error) {
	path := name
	if long, is := short[name]; is {
		path = long
	}
	lengths, counts := l.Durations(), l.Counts()
	if _, there := lengths[path]; there {
		return Key{path, PageTime}, nil
	}
	if _, there := counts[path]; there {
		return Key{path, Number}, nil
	}
	all := slices.Concat(slices.Collect(maps.Keys(lengths)), slices.Collect(maps.Keys(counts)))
	slices.Sort(all)
	return Key{}, fmt.Errorf("no duration and no number is called %q: %s", name, source.DidYouMean(name, all))
}

// Value is what it is now.
func (k Key) Value(l *scenario.Loaded) int64 {
	if k.Unit == Number {
		return l.Counts()[k.Path]
	}
	return int64(l.Durations()[k.Path])
}

// With is a scenario in which it is something else.
func (k Key) With(l *scenario.Loaded, value int64) *scenario.Loaded { return l.With(k.Path, value) }

// Text is a value as a person reads it.
func (k Key) Text(value int64) string {
	if k.Unit == Number {
		return strconv.FormatInt(value, 10)
	}
	return plan.Text(time.Duration(value))
}

// Parse reads a value as a file has it, or 0 for a duration of none.
func (k Key) Parse(text string) (int64, error) {
	if k.Unit == Number {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%s is a number: %q is none", k.Path, text)
		}
		return n, nil
	}
	var d runbook.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	return int64(d), nil
}

// grain is the least difference between two values that are tried.
func (k Key) grain() int64 {
	if k.Unit == Number {
		return 1
	}
	return int64(time.Second)
}

// round is a value in whole grains.
func (k Key) round(value int64) int64 {
	return (value + k.grain()/2) / k.grain() * k.grain()
}
