package plan

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

const (
	// lastUse is a time in which a client that presents a credential is seen to; it
	// is wall time, since rates are not scaled.
	lastUse = time.Second
	// leastLastUse is two buckets of counts: in less nothing is seen.
	leastLastUse = 200 * time.Millisecond
	// lifeSlack is by how much a life may seem longer than it is: tokens keep whole
	// seconds (exp, RFC 7519 section 4.1.4), and an answer comes after its request.
	lifeSlack = time.Second
)

// LastUse is the wall time before now in which nothing of a cell of the old
// credential may be in use any more, where it is to be revoked now and the emitters
// have switched to the new one. Who comes seldom is not out of use for having been
// quiet for a second: where the cell paused for longer since the switch, the time is
// twice its longest pause. What is used until its longest life is over is used in
// time, so that it reaches no further back than that, and a window of just G2 is enough.
func (l Limits) LastUse(view *history.View, key history.CellKey, fresh string, now history.Offset) time.Duration {
	switched := l.switchedFor(view, key, fresh)
	left := (now - switched).Duration() - l.Wall(l.LongestLife)
	switch {
	case left < 0:
		left = lastUse
	case left <= lastUse:
		return max(left, leastLastUse)
	}
	pause := longestPause(view.Buckets(key, switched, now))
	if pause <= lastUse {
		return lastUse
	}
	return min(2*pause, max(lastUse, left-lifeSlack))
}

// longestPause is the longest time between two buckets with an answer, from the end
// of one to the beginning of the next.
func longestPause(buckets []history.Bucket) time.Duration {
	var longest, before history.Offset
	seen := false
	for _, b := range buckets {
		if b.Answered() == 0 {
			continue
		}
		if seen {
			longest = max(longest, b.At-before)
		}
		before, seen = b.At+b.Width, true
	}
	return longest.Duration()
}

// switchedFor is when the last emitter switched to the new credential, for who
// presents in a cell. Use from before that was in order. An emitter that does not say
// when it switches, as a service of a team's own, had switched when it was first seen
// with the new credential; where nothing was seen it is when the rotation told all to.
func (l Limits) switchedFor(view *history.View, key history.CellKey, fresh string) history.Offset {
	switched := max(view.LastSwitch(fresh), view.Steps[string(keyring.Emit)][fresh])
	if _, emits := l.Emitter(key.Presenter); !emits {
		return switched
	}
	if _, said := view.Switched[key.Presenter][fresh]; said {
		return switched
	}
	key.Credential = fresh
	for _, b := range view.Cells[key] {
		if b.At >= switched && b.Answered() > 0 {
			return b.At
		}
	}
	return switched
}
