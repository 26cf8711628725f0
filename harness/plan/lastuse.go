package plan

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

const (
	// lastUse is a time in which a client that presents a credential shows at least once; wall time,
	// since rates do not scale.
	lastUse = time.Second
	// leastLastUse is two buckets of counts, the shortest time that shows anything.
	leastLastUse = 200 * time.Millisecond
	// lifeSlack is by how much a life may seem too long: tokens have whole seconds (exp, RFC 7519
	// section 4.1.4), and an answer comes after its request.
	lifeSlack = time.Second
)

// LastUse is the wall time before now in which a cell of the old credential must be quiet for it to
// count as out of use, once the emitters have switched. A cell that pauses for longer than a second
// since the switch must be quiet for twice its longest pause, but never for longer than the longest
// life: use until that is over is allowed, and a window of exactly G2 is enough.
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

// switchedFor is when the last emitter of a cell's presenter switched to the new credential: earlier
// use of the old one was in order. An emitter that does not say when it switches counts from when it
// was first seen with the new credential, or else from the emit.
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
