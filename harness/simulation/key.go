package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// short are the keys that have a name of their own, as people say them.
var short = map[string]string{"lead": "rollout.lead", "window": "overlap.window", "watch": "rollout.watch", "propagation": "rollout.propagation"}

// Key is a duration of a page or a scenario that can be varied.
type Key struct {
	Path string // rollout.lead, consumers.search.refresh, services.cdn.ttl, load.web.token.life
}

// KeyOf finds the key of that name. The error names the nearest ones.
func KeyOf(l *scenario.Loaded, name string) (Key, error) {
	path := name
	if long, is := short[name]; is {
		path = long
	}
	all := l.Durations()
	if _, there := all[path]; !there {
		return Key{}, fmt.Errorf("no duration is called %q: %s", name, source.DidYouMean(name, slices.Sorted(maps.Keys(all))))
	}
	return Key{path}, nil
}

// Value is what it is now.
func (k Key) Value(l *scenario.Loaded) time.Duration { return l.Durations()[k.Path] }

// With is a scenario in which it is something else.
func (k Key) With(l *scenario.Loaded, d time.Duration) *scenario.Loaded { return l.With(k.Path, d) }
