package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// wellAbove is how many granules a scaled duration must have at least. With
// fewer, what is lost to rounding (up to one granule at either end) is no
// longer small against the duration itself, and a bound that holds in
// production could break in the rehearsal, or the other way round.
const wellAbove = 5

// topSpeed is the most where nothing else limits the speed.
const topSpeed = 1000

// topVirtual is the same in virtual time, where only the resolution of the judge limits it.
const topVirtual = 100_000

// Granules: the wall-clock resolution of timers, whatever the speed.
const (
	tokenGranule = time.Second            // JWT exp and iat are whole seconds (RFC 7519 §2 as every library writes them)
	cacheGranule = time.Second            // HTTP Age and max-age are whole seconds (RFC 9111 §1.2.2)
	timerGranule = 100 * time.Millisecond // polls and timers of loaded processes, with the requests that they cause
)

// keptDuration is a duration of the page and the granularity of the timer that keeps it.
type keptDuration struct {
	what    string
	page    time.Duration
	granule time.Duration // wall
}

// maxSpeed is the largest speed at which every duration stays well above its
// granule, at least 1, and the reason in words.
func (b *builder) maxSpeed(l Limits) (float64, string) {
	if names := b.unscaled(); len(names) > 0 {
		return 1, fmt.Sprintf("the settings of %s are not scaled (scale: none)", strings.Join(names, ", "))
	}
	if l.Simulated {
		return b.mostOf(l, topVirtual)
	}
	return b.mostOf(l, topSpeed)
}

// mostOf is maxSpeed up to a figure.
func (b *builder) mostOf(l Limits, top float64) (float64, string) {
	most, because := top, "no duration is limited by what keeps it"
	for _, k := range b.kept(l) {
		if k.page <= 0 || k.page == runbook.Forever {
			continue
		}
		// Rounded down, so that the figure as printed is still allowed.
		if l.Simulated {
			k.granule = timerGranule
		}
		speed := max(1, math.Floor(float64(k.page)/float64(wellAbove*k.granule)*100)/100)
		if speed < most {
			most, because = speed, fmt.Sprintf("%s, %s, must stay at least %s, %d times what it is kept to",
				k.what, Text(k.page), Text(wellAbove*k.granule), wellAbove)
		}
	}
	return most, because
}

// Reach is how long lead, window and watch must last for a person to act: to read the screen, do
// something, and see the effect; wall time.
const Reach = 30 * time.Second

// pace is the largest speed, up to the scenario's and at least 1, at which lead, window and watch last
// for Reach.
func (b *builder) pace() float64 {
	speed := b.s.Speed
	for _, stretch := range []time.Duration{b.page.Rollout.Lead.Duration(), b.page.Overlap.Window.Duration(), b.page.Rollout.Watch.Duration()} {
		if stretch > 0 {
			speed = min(speed, max(1, math.Floor(float64(stretch)/float64(Reach))))
		}
	}
	return speed
}

// kept are the durations that a timer measures in a rehearsal.
func (b *builder) kept(l Limits) []keptDuration {
	all := []keptDuration{
		{"baseline", b.s.Baseline.Duration(), timerGranule},
		{"rollout.lead", l.Lead, timerGranule},
		{"overlap.window", l.Window, timerGranule},
		{"rollout.watch", l.Watch, timerGranule},
	}
	if b.family.Expires {
		granule := tokenGranule
		if b.family.Pools {
			granule = timerGranule
		}
		all = append(all, keptDuration{"format.longest_life", l.LongestLife, granule})
	}
	for _, c := range l.Clients {
		all = append(all, keptDuration{"the token life of " + c.Name, c.Life, tokenGranule})
	}
	for _, c := range l.Caches {
		all = append(all, keptDuration{"the ttl of " + c.Name, c.TTL, cacheGranule})
	}
	for _, e := range l.Emitters {
		all = append(all, keptDuration{"the life of connections of " + e.Name, b.s.Services[e.Name].Life.Duration(), timerGranule})
		if b.s.Services[e.Name].Pinned {
			continue // it never refreshes
		}
		all = append(all, keptDuration{"the refresh of " + e.Name, e.Refresh, timerGranule},
			keptDuration{"the delay of " + e.Name, b.s.Services[e.Name].Delay.Duration(), timerGranule},
			keptDuration{"the rollout of " + e.Name, b.s.Services[e.Name].Rollout.Duration(), timerGranule})
		if own := b.s.Services[e.Name].Refresh.Duration(); own != e.Refresh {
			all = append(all, keptDuration{"the scenario's refresh of " + e.Name, own, timerGranule})
		}
	}
	for _, v := range l.Validators {
		if s := b.s.Services[v.Name]; v.Reads && !s.Pinned {
			all = append(all, keptDuration{"the refresh of " + v.Name, s.Refresh.Duration(), timerGranule},
				keptDuration{"the delay of " + v.Name, s.Delay.Duration(), timerGranule},
				keptDuration{"the rollout of " + v.Name, s.Rollout.Duration(), timerGranule})
		}
		granule := max(v.Granule, timerGranule)
		library := runbook.Libraries[v.Library]
		for _, k := range []keptDuration{
			{v.Name + " learns within", v.Learns, granule},
			{v.Name + " forgets within", v.Forgets, granule},
			{v.Name + " (" + v.Library + ") learns within", library.Learns, granule},
			{v.Name + " (" + v.Library + ") forgets within", library.Forgets, granule},
			{v.Name + " (" + v.Library + ") cools down for", library.Cooldown, granule},
		} {
			if !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	return all
}
