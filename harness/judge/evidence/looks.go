package evidence

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// LooksAt are the looks at the key set of a service, in order: as the harness found it, or through the
// proxy of a party.
func (e *Evidence) LooksAt(service, reader string) []history.Event {
	var found []history.Event
	for _, event := range e.Events {
		if event.Kind == history.KindLooked && event.Service == service && event.Reader == reader && event.Set != nil && event.At <= e.End {
			found = append(found, event)
		}
	}
	return found
}

// SetAt is the set last found at a service until a moment; false where none was.
func (e *Evidence) SetAt(service string, at history.Offset) (*history.KeySet, bool) {
	var set *history.KeySet
	for _, look := range e.LooksAt(service, "") {
		if look.At <= at && look.Set.Readable() {
			set = look.Set
		}
	}
	return set, set != nil
}

// FailsAt reports whether the last look at a service until a moment was answered with an error of its own, and
// which. That the harness is turned away says nothing of others.
func (e *Evidence) FailsAt(service string, at history.Offset) (status string, fails bool) {
	if found := e.lookAt(service, at); found != nil {
		status = found.Status
	}
	code, err := strconv.Atoi(status)
	return status, err == nil && code >= http.StatusInternalServerError
}

// lookAt is what the last look at a service until a moment found; nil where there was none.
func (e *Evidence) lookAt(service string, at history.Offset) (found *history.KeySet) {
	for _, look := range e.LooksAt(service, "") {
		if look.At <= at {
			found = look.Set
		}
	}
	return found
}

// UnreadableAt reports whether the last look at a service until a moment found no set: what it had
// since then nobody knows.
func (e *Evidence) UnreadableAt(service string, at history.Offset) bool {
	found := e.lookAt(service, at)
	return found != nil && !found.Readable()
}

// PartiesBehind are the parties whose sets a gateway answers with, one or another; none where it has one alone.
func (e *Evidence) PartiesBehind(gateway string) []string {
	for _, g := range e.Limits.Gateways {
		if g.Name == gateway && len(g.Of) > 1 {
			return g.Of
		}
	}
	return nil
}

// Relays reports whether a party on the way keeps nothing of what it hands on.
func (e *Evidence) Relays(name string) bool {
	return slices.ContainsFunc(e.Limits.Caches, func(cache plan.Cache) bool { return cache.Name == name && cache.TTL == 0 })
}

// KeySet names a key set in events of reads.
const KeySet = "jwks"

// TurnedAway counts the 429 answers (RFC 6585 §4) to a party's requests for the key set in a stretch of
// time, and names who gave them.
func (e *Evidence) TurnedAway(reader string, from, to history.Offset) (n int64, by string) {
	for _, event := range e.ReadBy(reader) {
		if event.Kind == history.KindRead && event.What == KeySet && event.Detail == history.StatusTooMany &&
			event.At >= from && event.At <= to {
			n, by = n+1, event.Service
		}
	}
	return n, by
}
